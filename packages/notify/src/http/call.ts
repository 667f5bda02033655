/**
 * One HTTP call: no redirects, no second attempt, and certainty whether the receiver may have it.
 */
import { NotifyFailure } from "@signalbox/core/plugin"
import type { NotifyReason } from "@signalbox/core/spi"
import * as http from "node:http"
import * as https from "node:https"
import { type AddressGuard, ForbiddenAddress } from "./AddressGuard.ts"

/** What is sent. `body` is complete, so that it can be signed. `timeoutMs` is for all of it (default 15,000). */
export interface HttpCall {
  readonly url: URL
  readonly method?: "POST" | "PATCH" | "GET"
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly signal: AbortSignal
  readonly guard: AddressGuard
  readonly timeoutMs?: number
}

/** What the receiver answered; `body` is cut at 64 KiB. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

const most = 65_536
const timeout = 15_000

const certificateCodes = /^(CERT_|ERR_TLS_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_(GET|VERIFY)_)/

/** Only hosts are named: paths and queries may hold secrets. */
const reasonOf = (error: NodeJS.ErrnoException, connected: boolean, { host }: URL): NotifyReason => {
  if (error instanceof ForbiddenAddress) {
    return {
      _tag: "Invalid",
      message: `${host}: ${error.message}`,
      path: ["url"],
      hint: 'If the receiver belongs there, name its network in "allow" of the channel.'
    }
  }
  const code = error.code ?? "no code"
  // Its message quotes the value.
  if (code === "ERR_INVALID_CHAR") return { _tag: "Invalid", message: "a header holds a character that does not fit" }
  if (certificateCodes.test(code)) {
    return {
      _tag: "Unavailable",
      message: `${host} has no valid certificate (${code})`,
      hint: "Renew it, or add its authority to NODE_EXTRA_CA_CERTS."
    }
  }
  return connected
    ? { _tag: "Unknown", message: `the connection to ${host} ended without an answer (${code})` }
    : { _tag: "Unavailable", message: `${host} cannot be reached (${code})` }
}

/**
 * Makes a call and returns the answer, whatever its status.
 *
 * *Errors*: rejects with a `NotifyFailure`: `Unavailable` before a connection exists, then `Unknown`; `Invalid` for a forbidden
 * address.
 */
export const call = async (options: HttpCall): Promise<HttpAnswer> => {
  const { body, guard, headers, method = "POST", signal, timeoutMs = timeout, url } = options
  try {
    guard.checkHost(url.hostname)
    for (const [name, value] of Object.entries(headers)) http.validateHeaderValue(name, value)
  } catch (error) {
    throw new NotifyFailure(reasonOf(error as Error, false, url))
  }
  return new Promise((resolve, reject) => {
    let connected = false
    const fail = (error: NodeJS.ErrnoException) => reject(new NotifyFailure(reasonOf(error, connected, url)))
    const secure = url.protocol === "https:"
    const request = (secure ? https : http).request(url, {
      method,
      headers: { ...headers, "content-length": String(Buffer.byteLength(body)) },
      // A connection of its own, which ends with the call.
      agent: false,
      lookup: guard.lookup,
      signal
    })
    const timer = setTimeout(
      () => request.destroy(Object.assign(new Error("timeout"), { code: "ETIMEDOUT" })),
      timeoutMs
    )
    request.on("socket", (socket) => socket.once(secure ? "secureConnect" : "connect", () => (connected = true)))
    request.on("error", fail)
    request.on("close", () => {
      clearTimeout(timer)
      fail(Object.assign(new Error("closed"), { code: "ECONNRESET" }))
    })
    request.on("response", (response) => {
      let text = ""
      response.setEncoding("utf8")
      response.on("data", (chunk: string) => {
        text += chunk
        if (text.length < most) return
        done()
        request.destroy()
      })
      const done = () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text.slice(0, most) })
      response.on("end", done)
      response.on("error", fail)
    })
    request.end(body)
  })
}
