/**
 * What a failed call means.
 */
import type { CancellationReason } from "@aws-sdk/client-dynamodb"
import type { Address } from "./Address.ts"
import { StoreFailure } from "./StoreFailure.ts"

interface Failure {
  readonly name?: string
  readonly message?: string
  readonly code?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly CancellationReasons?: ReadonlyArray<CancellationReason>
}

const asFailure = (error: unknown): Failure => (typeof error === "object" && error !== null ? error : {})

const throttled = new Set([
  "Throttling",
  "ThrottlingException",
  "ThrottlingError",
  "RequestLimitExceeded",
  "ProvisionedThroughputExceeded",
  "ProvisionedThroughputExceededException",
  "TransactionConflict",
  "TransactionConflictException",
  "TransactionInProgressException"
])

const unreachable = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"])
const cut = new Set(["ECONNRESET", "EPIPE", "ETIMEDOUT"])

/** The results of the single conditions of a cancelled transaction, in the order of its items. */
export const cancellations = (error: unknown): ReadonlyArray<CancellationReason> | undefined => {
  const { cause } = error as { readonly cause?: unknown }
  return asFailure(cause ?? error).CancellationReasons
}

/** Whether a condition of a single write did not hold; then the item as it is. */
export const conditionFailed = (error: unknown): { readonly item: unknown } | undefined => {
  const cause = asFailure((error as { readonly cause?: unknown }).cause)
  return cause.name === "ConditionalCheckFailedException"
    ? { item: (cause as { readonly Item?: unknown }).Item }
    : undefined
}

/** Whether there is nothing at the address. */
export const isUnreachable = (error: unknown): boolean => unreachable.has(asFailure(error).code ?? "")

/** Whether the same call may succeed in a moment. The effect of a call that was cut may have happened. */
export const isTransient = (error: unknown): boolean => {
  const { $metadata, CancellationReasons, code = "", name = "" } = asFailure(error)
  if (CancellationReasons !== undefined) {
    return CancellationReasons.every(({ Code = "None" }) => Code === "None" || throttled.has(Code))
  }
  return (
    throttled.has(name) ||
    cut.has(code) ||
    unreachable.has(code) ||
    name === "TimeoutError" ||
    ($metadata?.httpStatusCode ?? 0) >= 500
  )
}

const credentials = new Set([
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "MissingAuthenticationTokenException",
  "IncompleteSignatureException"
])

/** The failure of the port that a failed call is. Messages of the vendor go along, not alone. */
export const classify = (error: unknown, { endpoint, region, table }: Address): StoreFailure => {
  const { code, message = String(error), name = "" } = asFailure(error)
  const place = region === undefined ? "" : ` in ${region}`
  const fail = (reason: StoreFailure["reason"], detail: string) => new StoreFailure(reason, detail, error)
  if (name === "ResourceNotFoundException") {
    return fail("Unavailable", `there is no table ${table}${place}; create it with "signalbox aws bootstrap"`)
  }
  if (isUnreachable(error)) {
    return fail("Unavailable", `DynamoDB cannot be reached at ${endpoint ?? `its endpoint${place}`} (${code})`)
  }
  if (name === "ExpiredTokenException" || name === "ExpiredToken") {
    return fail("Unavailable", "the AWS credentials have expired; sign in again")
  }
  if (name === "AccessDeniedException") {
    const action = /to perform: (\S+)/.exec(message)?.[1]
    return fail(
      "Misconfigured",
      `AWS denies ${action ?? "the call"} on table ${table}: "signalbox aws iam-policy --for store" prints the policy`
    )
  }
  if (name === "CredentialsProviderError" || credentials.has(name)) {
    return fail("Misconfigured", `AWS accepts no credentials of this process: ${message.split("\n")[0]}`)
  }
  if (message === "Region is missing") {
    return fail("Misconfigured", "no region: add ?region=… to the address of the store, or set AWS_REGION")
  }
  if (isTransient(error)) return fail("Unavailable", `DynamoDB gave no answer${place}: ${name || code}: ${message}`)
  return fail("Unexpected", `DynamoDB refused a call: ${name}: ${message}`)
}
