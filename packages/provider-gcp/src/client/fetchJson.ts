/**
 * Calls over HTTP with JSON, with their failures in the form of the other clients' failures.
 */
import type { Gcp } from "./Gcp.ts"

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

const parsed = (text: string): unknown => {
  try {
    return text === "" ? {} : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The failure that an answer tells. */
export const failureOf = (status: number, text: string): ApiFailure => {
  const { error } = (parsed(text) ?? {}) as ErrorBody
  const code = codes[error?.status ?? ""] ?? codesByStatus[status] ?? (status >= 500 ? unanswered : 2)
  return new ApiFailure(code, error?.message ?? `The answer was HTTP ${status}.`, error)
}

/** The failure of a call without an answer in time. */
export const late = (timeout: number): ApiFailure =>
  new ApiFailure(4, `There was no answer within ${Math.round(timeout / 1000)} seconds.`)

/** Calls an address, with credentials unless it is plain HTTP. `timeout` is in milliseconds. */
export const fetchJson = async (
  gcp: Gcp,
  url: URL,
  { signal, timeout }: { readonly signal: AbortSignal; readonly timeout: number },
  init: RequestInit = {}
): Promise<ApiAnswer> => {
  const headers = new Headers(url.protocol === "https:" ? await gcp.headers() : {})
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
