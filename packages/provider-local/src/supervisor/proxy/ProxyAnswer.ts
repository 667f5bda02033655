/**
 * The proxy's own answers, and when they are used.
 */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http"
import { headMax } from "./limits.ts"

export interface ProxyAnswer {
  readonly status: number
  readonly code: string
  readonly message: string
}

export const noConnect: ProxyAnswer = { status: 405, code: "method_not_allowed", message: "CONNECT is not supported" }

/** Input that Node could not read as a request. */
export const refusalOfRequest = ({ code }: NodeJS.ErrnoException): ProxyAnswer => {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return { status: 431, code: "head_too_large", message: `the head of the request is larger than ${headMax} bytes` }
    case "HPE_CHUNK_EXTENSIONS_OVERFLOW":
      return { status: 413, code: "extensions_too_large", message: "the chunk extensions are too large" }
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return { status: 408, code: "request_timeout", message: "the head of the request did not arrive in time" }
    default:
      return { status: 400, code: "bad_request", message: `the request is not valid HTTP (${code})` }
  }
}

/** Why an instance did not answer, from the error that ended its connection. */
export const refusalOfInstance = (stack: string, connected: boolean, code: string | undefined): ProxyAnswer => {
  if (!connected) {
    return { status: 502, code: "upstream_unreachable", message: `an instance of ${stack} cannot be reached` }
  }
  if (code === "HPE_HEADER_OVERFLOW") return invalidAnswer(stack, `whose head is larger than ${headMax} bytes`)
  if (code?.startsWith("HPE_") === true) return invalidAnswer(stack, `that is not valid HTTP (${code})`)
  const message = `an instance of ${stack} closed the connection without an answer`
  return { status: 502, code: "upstream_closed", message }
}

export const invalidAnswer = (stack: string, what: string): ProxyAnswer => ({
  status: 502,
  code: "upstream_invalid",
  message: `an instance of ${stack} sent an answer ${what}`
})

const bodyOf = ({ code, message }: ProxyAnswer): Buffer => Buffer.from(JSON.stringify({ error: { code, message } }))

/** The whole answer, for a connection without a Node response. */
export const rawAnswerOf = (refusal: ProxyAnswer): Buffer => {
  const body = bodyOf(refusal)
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    "Connection: close"
  ]
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body])
}

/** Writes the head of an answer of the proxy itself, and returns its body. */
export const writeHeadOf = (refusal: ProxyAnswer, request: IncomingMessage, response: ServerResponse): Buffer => {
  const body = bodyOf(refusal)
  // Node may have written part of a head that it then rejected.
  response.chunkedEncoding = false
  response.writeHead(refusal.status, STATUS_CODES[refusal.status], [
    "Content-Type",
    "application/json",
    "Content-Length",
    String(body.length),
    ...(request.complete ? [] : ["Connection", "close"])
  ])
  return body
}
