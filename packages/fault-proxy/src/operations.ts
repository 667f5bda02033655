/**
 * Names of operations, and answers of failures, in common wire protocols.
 */
import type { FaultAnswer, FaultRequest } from "./Fault.ts"

/** Finds the name of the operation that a request calls. */
export type OperationOf = (request: FaultRequest) => string

const text = ({ body }: FaultRequest): string => new TextDecoder().decode(body)

/** AWS Query: `Action` in the form, or in the query of the path (`CreateChangeSet`). */
const awsQuery: OperationOf = (request) => {
  const query = request.path.includes("?") ? request.path.slice(request.path.indexOf("?")) : ""
  return new URLSearchParams(text(request)).get("Action") ?? new URLSearchParams(query).get("Action") ?? ""
}

/** AWS JSON: the part of `X-Amz-Target` after the last dot (`TransactWriteItems`). */
const awsJson: OperationOf = ({ headers }) => headers["x-amz-target"]?.split(".").at(-1) ?? ""

/** REST: method and path without the query (`PATCH /v2/projects/p/locations/l/services/s`). */
const rest: OperationOf = ({ method, path }) => `${method} ${path.split("?")[0]}`

/**
 * Functions that find the operation of a request: `awsQuery`, `awsJson`, and `rest` for anything else. The first two
 * return an empty string if a request is not one of theirs.
 */
export const operations = { awsQuery, awsJson, rest }

const escaped = (message: string) => message.replaceAll("&", "&amp;").replaceAll("<", "&lt;")

interface Failure {
  readonly status?: number
  readonly code: string
  readonly message?: string
}

const json = (status: number, body: unknown): FaultAnswer => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body)
})

/**
 * Answers of failures.
 *
 * *Details*: `awsQuery` is XML (`Throttling`, `AccessDenied`, `ExpiredToken`), `awsJson` is JSON 1.0
 * (`ThrottlingException`), both by default with status 400. `google` is the JSON of a Google API: `status` is the HTTP
 * status, `code` the name (`RESOURCE_EXHAUSTED`, `PERMISSION_DENIED`, `ABORTED`), and `details` go with it unchanged.
 */
export const answers = {
  awsQuery: ({ code, message = code, status = 400 }: Failure): FaultAnswer => ({
    status,
    headers: { "content-type": "text/xml" },
    body: `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${escaped(message)}</Message></Error><RequestId>fault-proxy</RequestId></ErrorResponse>`
  }),
  awsJson: ({ code, message = code, status = 400 }: Failure): FaultAnswer => {
    const { body, headers } = json(status, { __type: code, message })
    return { status, headers: { ...headers, "content-type": "application/x-amz-json-1.0" }, body: body! }
  },
  google: ({
    code,
    details = [],
    message = code,
    status
  }: Failure & { readonly status: number; readonly details?: ReadonlyArray<unknown> }): FaultAnswer =>
    json(status, { error: { code: status, message, status: code, details } })
}
