/**
 * The API of Firebase Hosting over HTTP: one call, with its failure in the form of the other clients' failures.
 */
import http from "node:http"
import https from "node:https"
import type { Readable } from "node:stream"
import { text } from "node:stream/consumers"
import { pipeline } from "node:stream/promises"
import type { Gcp } from "../client/index.ts"

/** A call. `path` follows the version of the API; `timeout` is in milliseconds. */
export interface ApiCall {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE"
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: object
  readonly timeout: number
}

export type ApiAnswer = { readonly [key: string]: unknown }

/** The codes of gRPC, by the names in answers. */
const codes: Readonly<Record<string, number>> = {
  CANCELLED: 1,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  UNAUTHENTICATED: 16
}

/** For answers that come from something on the way. */
const codesByStatus: Readonly<Record<number, number>> = { 400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 429: 8 }

interface ErrorBody {
  readonly error?: {
    readonly message?: string
    readonly status?: string
    readonly details?: ReadonlyArray<{
      readonly reason?: string
      readonly metadata?: Readonly<Record<string, string>>
      readonly retryDelay?: string
    }>
  }
}

/** A failure of a call. */
export class ApiFailure extends Error {
  readonly code: number
  readonly reason: string | undefined
  readonly errorInfoMetadata: Readonly<Record<string, string>> | undefined
  readonly statusDetails: ReadonlyArray<object>

  constructor(code: number, message: string, { details = [] }: NonNullable<ErrorBody["error"]> = {}) {
    super(message)
    const info = details.find(({ reason }) => reason !== undefined)
    this.code = code
    this.reason = info?.reason
    this.errorInfoMetadata = info?.metadata
    this.statusDetails = details
  }
}

const unanswered = 14
const timedOut = new Error("timed out")
const late = (timeout: number): ApiFailure =>
  new ApiFailure(4, `There was no answer within ${Math.round(timeout / 1000)} seconds.`)

const binary = { "content-type": "application/octet-stream" }

const parsed = (text: string): unknown => {
  try {
    return text === "" ? {} : JSON.parse(text)
  } catch {
    return undefined
  }
}

const failureOf = (status: number, text: string): ApiFailure => {
  const { error } = (parsed(text) ?? {}) as ErrorBody
  const code = codes[error?.status ?? ""] ?? codesByStatus[status] ?? (status >= 500 ? unanswered : 2)
  return new ApiFailure(code, error?.message ?? `The answer was HTTP ${status}.`, error)
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
    return this.#fetch(url, timeout, signal, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } })
    })
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

  async #fetch(url: URL, timeout: number, signal: AbortSignal, init: RequestInit) {
    const headers = new Headers(url.protocol === "https:" ? await this.#gcp.headers() : {})
    for (const [key, value] of Object.entries(init.headers ?? {})) headers.set(key, String(value))
    // Signals of `AbortSignal.timeout` would be kept, with the body, until their time is over.
    const controller = new AbortController()
    const interrupted = () => controller.abort(signal.reason)
    const timer = setTimeout(() => controller.abort(timedOut), timeout)
    signal.addEventListener("abort", interrupted)
    try {
      const answer = await fetch(url, { ...init, headers, signal: controller.signal })
      const text = await answer.text()
      if (!answer.ok) throw failureOf(answer.status, text)
      const json = parsed(text)
      if (json === undefined) throw new ApiFailure(2, "The answer is no JSON.")
      return json as ApiAnswer
    } catch (error) {
      if (error === timedOut) throw late(timeout)
      // Whatever broke the connection is the cause of a TypeError.
      if (!(error instanceof TypeError)) throw error
      const { cause } = error as { readonly cause?: { readonly code?: string; readonly message?: string } }
      throw new ApiFailure(unanswered, cause?.message || cause?.code || error.message)
    } finally {
      clearTimeout(timer)
      signal.removeEventListener("abort", interrupted)
    }
  }
}
