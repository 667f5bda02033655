/**
 * The API of Firebase Hosting over HTTP.
 */
import http from "node:http"
import https from "node:https"
import type { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { pipeline } from "node:stream/promises"
import { type ApiAnswer, failureOf, fetchJson, type Gcp, late } from "../client/index.ts"

const binary = { "content-type": "application/octet-stream" }

/** A call. `path` follows the version of the API; `timeout` is in milliseconds. */
export interface ApiCall {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
  readonly timeout: number
}

export class HostingApi {
  readonly #gcp: Gcp
  readonly #endpoint: URL
  #agent: http.Agent | undefined

  /** `endpoint` replaces `FIREBASE_HOSTING_API_URL`, which the vendor's tools know too. */
  constructor(gcp: Gcp, endpoint?: string) {
    const named = endpoint ?? process.env["FIREBASE_HOSTING_API_URL"]
    this.#gcp = gcp
    this.#endpoint = new URL(named === undefined || named === "" ? "https://firebasehosting.googleapis.com" : named)
  }

  /** Whether no credentials are sent. */
  get isLocal(): boolean {
    return this.#endpoint.protocol === "http:"
  }

  async call({ body, method, path, query = {}, timeout }: ApiCall, signal: AbortSignal): Promise<ApiAnswer> {
    const url = new URL(`/v1beta1/${path}`, this.#endpoint)
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
    return fetchJson(
      this.#gcp,
      url,
      { timeout, signal },
      {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
      }
    )
  }

  /** Sends a file to the address that the API named for it. `fetch` would keep three times the memory for many files. */
  async upload(url: string, body: Buffer | Readable, timeout: number, signal: AbortSignal): Promise<void> {
    const target = new URL(url)
    const secure = target.protocol === "https:"
    const headers = { ...(secure ? Object.fromEntries(await this.#gcp.headers()) : {}), ...binary }
    this.#agent ??= new (secure ? https : http).Agent({ keepAlive: true, maxSockets: 16 })
    const sending = (secure ? https : http).request(target, {
      agent: this.#agent,
      method: "POST",
      headers,
      signal,
      timeout
    })
    const answered = new Promise<{ readonly status: number; readonly text: string }>((resolve, reject) => {
      sending.once("response", (answer) => {
        const status = answer.statusCode ?? 0
        text(answer).then((text) => resolve({ status, text }), reject)
      })
      sending.once("timeout", () => sending.destroy(late(timeout)))
      sending.once("error", reject)
    })
    if (Buffer.isBuffer(body)) sending.end(body)
    else pipeline(body, sending).catch((error: Error) => sending.destroy(error))
    const answer = await answered
    if (answer.status < 200 || answer.status > 299) throw failureOf(answer.status, answer.text)
  }
}
