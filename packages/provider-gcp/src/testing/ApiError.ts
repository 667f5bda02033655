/**
 * Failures of the API, as both protocols carry them.
 */

/** The codes of gRPC that are used here, each with its status over HTTP. */
const codes = {
  CANCELLED: [1, 499],
  INVALID_ARGUMENT: [3, 400],
  DEADLINE_EXCEEDED: [4, 504],
  NOT_FOUND: [5, 404],
  ALREADY_EXISTS: [6, 409],
  PERMISSION_DENIED: [7, 403],
  RESOURCE_EXHAUSTED: [8, 429],
  FAILED_PRECONDITION: [9, 400],
  ABORTED: [10, 409],
  UNIMPLEMENTED: [12, 501],
  INTERNAL: [13, 500],
  UNAVAILABLE: [14, 503],
  UNAUTHENTICATED: [16, 401]
} as const

/** A status of the API, by the name that gRPC gives it. */
export type ApiCode = keyof typeof codes

/** A message of `google.rpc`, as JSON. */
export type ErrorDetail = { readonly "@type": string } & { readonly [key: string]: unknown }

/** An answer of the API that refuses a call. */
export class ApiError extends Error {
  readonly status: ApiCode
  readonly details: ReadonlyArray<ErrorDetail>

  constructor(status: ApiCode, message: string, details: ReadonlyArray<ErrorDetail> = []) {
    super(message)
    this.status = status
    this.details = details
  }

  get code(): number {
    return codes[this.status][0]
  }

  get http(): number {
    return codes[this.status][1]
  }
}

/** Names the reason of a failure, and what it is about: `IAM_PERMISSION_DENIED` with `permission`. */
export const errorInfo = (
  reason: string,
  metadata: Readonly<Record<string, string>> = {},
  domain = "googleapis.com"
): ErrorDetail => ({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", reason, domain, metadata })

/** Asks to wait for that many seconds. */
export const retryInfo = (seconds: number): ErrorDetail => ({
  "@type": "type.googleapis.com/google.rpc.RetryInfo",
  retryDelay: `${seconds}s`
})
