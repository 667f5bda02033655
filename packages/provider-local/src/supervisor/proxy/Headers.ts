/**
 * Which headers are forwarded (RFC 9110, 7.6.1): in their original spelling and order. Pairs are flat lists of names
 * and values, as Node reads and writes them.
 */
import type { IncomingMessage, OutgoingMessage } from "node:http"
import type { ProxyAnswer } from "./ProxyAnswer.ts"

/** Hop-by-hop fields. `Transfer-Encoding` is rewritten; `Trailer` depends on it. */
const hopByHop = new Set(["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"])

/** Without these, the message would be a different one, so `Connection` cannot remove them. */
const kept = new Set(["host", "content-length"])

/** The headers that `Connection` names. */
const namedBy = (connection: string | undefined): ReadonlySet<string> | undefined => {
  if (connection === undefined || connection === "keep-alive" || connection === "close") return undefined
  const names = connection.split(",").map((name) => name.trim().toLowerCase())
  return new Set(names.filter((name) => !kept.has(name)))
}

const includes = (list: string | undefined, token: string): boolean =>
  list?.split(",").some((entry) => entry.trim().toLowerCase() === token) === true

export const isChunked = (message: IncomingMessage): boolean => message.headers["transfer-encoding"] !== undefined

export const hasBody = (message: IncomingMessage): boolean =>
  isChunked(message) || (message.headers["content-length"] ?? "0") !== "0"

/** The one protocol that a connection can be handed over to. All others are ignored, as HTTP allows. */
export const isWebSocket = (request: IncomingMessage): boolean =>
  request.method === "GET" &&
  request.httpVersion === "1.1" &&
  includes(request.headers.upgrade, "websocket") &&
  includes(request.headers.connection, "upgrade") &&
  !hasBody(request)

/** Methods that Node sends in chunks if no length is given. */
const lengthless = new Set(["GET", "HEAD", "DELETE", "OPTIONS", "TRACE"])

/** The head for the instance, or why the request cannot be forwarded. */
export const requestHead = (
  request: IncomingMessage,
  target: { readonly host: string; readonly port: number },
  upgrade: boolean
): ReadonlyArray<string> | ProxyAnswer => {
  const { headers, rawHeaders } = request
  const chunked = isChunked(request)
  if (chunked && headers["transfer-encoding"]!.toLowerCase() !== "chunked") {
    return { status: 501, code: "unknown_transfer_coding", message: "the only transfer coding understood is chunked" }
  }
  const named = namedBy(headers.connection)
  const head: Array<string> = []
  let hosts = 0
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const key = name.toLowerCase()
    if (hopByHop.has(key) || named?.has(key) === true) continue
    if (key === "host") hosts += 1
    else if (key === "trailer" && !chunked) continue
    else if (key === "expect" && request.httpVersion === "1.0") continue
    head.push(name, rawHeaders[index + 1]!)
  }
  if (hosts > 1) return { status: 400, code: "bad_request", message: "the request has more than one Host" }
  if (hosts === 0) {
    const { host, port } = target
    head.push("Host", host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`)
  }
  if (chunked) head.push("Transfer-Encoding", "chunked")
  else if (headers["content-length"] === undefined && !lengthless.has(request.method!)) head.push("Content-Length", "0")
  if (includes(headers["te"]?.toString(), "trailers")) head.push("TE", "trailers")
  if (upgrade) head.push("Connection", "Upgrade", "Upgrade", "websocket")
  const forwarded = (name: string, value: string | undefined) => {
    if (value !== undefined && (!headers[name] || named?.has(name) === true)) head.push(name, value)
  }
  forwarded("x-forwarded-for", request.socket.remoteAddress)
  forwarded("x-forwarded-port", /:(\d+)/.exec(headers.host ?? "")?.[1] ?? "80")
  forwarded("x-forwarded-proto", "http")
  forwarded("x-forwarded-host", headers.host)
  return head
}

/** The head for the client; undefined if the answer cannot be forwarded. */
export const answerHead = (answer: IncomingMessage, request: IncomingMessage): ReadonlyArray<string> | undefined => {
  const { headers, rawHeaders, statusCode } = answer
  if (isChunked(answer) && headers["transfer-encoding"]!.toLowerCase() !== "chunked") return undefined
  // Only such an answer is sent in chunks, and only chunks have trailers.
  const trailers =
    request.httpVersion !== "1.0" &&
    request.method !== "HEAD" &&
    headers["content-length"] === undefined &&
    statusCode !== 204 &&
    statusCode !== 304
  const named = namedBy(headers.connection)
  const head: Array<string> = []
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index]!
    const key = name.toLowerCase()
    // 426 says what to upgrade to.
    if (key === "upgrade" ? statusCode !== 426 : hopByHop.has(key) || named?.has(key) === true) continue
    if (key === "trailer" && !trailers) continue
    head.push(name, rawHeaders[index + 1]!)
  }
  return head
}

/** Forwards the received trailers; without them, the body is still complete. */
export const forwardTrailers = (from: IncomingMessage, to: OutgoingMessage): void => {
  try {
    if (from.rawTrailers.length > 0) to.addTrailers(trailersOf(from))
  } catch {
    // The body is what counts.
  }
}

/** The received trailers, as pairs. */
const trailersOf = (message: IncomingMessage): ReadonlyArray<[string, string]> => {
  const { rawTrailers } = message
  const trailers: Array<[string, string]> = []
  for (let index = 0; index < rawTrailers.length; index += 2) {
    trailers.push([rawTrailers[index]!, rawTrailers[index + 1]!])
  }
  return trailers
}

/** A reason phrase has no meaning for programs; characters that Node would reject are left out. */
export const cleanPhrase = (phrase: string | undefined): string =>
  phrase?.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, "") ?? ""
