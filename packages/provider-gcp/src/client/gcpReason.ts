/**
 * The failures of Google Cloud, as reasons of the provider port.
 */
import type { ProviderReason } from "@signalbox/core/spi"

/** What a client throws, as far as it is looked at. */
interface GcpFailure {
  readonly code?: number | string
  readonly message?: string
  readonly reason?: string
  readonly errorInfoMetadata?: Readonly<Record<string, string>>
  readonly statusDetails?: ReadonlyArray<{
    readonly retryDelay?:
      | string
      | { readonly seconds?: string | number | { toString(): string }; readonly nanos?: number }
  }>
}

const signIn =
  "Sign in (gcloud auth application-default login), or set GOOGLE_APPLICATION_CREDENTIALS to a file of credentials."

/** The delay of a `RetryInfo`, in milliseconds; a short one if there is none. */
const retryAfter = ({ statusDetails }: GcpFailure): number => {
  for (const { retryDelay } of Array.isArray(statusDetails) ? statusDetails : []) {
    if (retryDelay === undefined) continue
    const seconds =
      typeof retryDelay === "string" ? Number.parseFloat(retryDelay) : Number(String(retryDelay.seconds ?? 0))
    const nanos = typeof retryDelay === "string" ? 0 : (retryDelay.nanos ?? 0)
    const millis = Math.ceil(seconds * 1000 + nanos / 1e6)
    if (Number.isFinite(millis) && millis > 0) return millis
  }
  return 250
}

/** The permission and the resource that a refusal is about. */
const denied = ({ errorInfoMetadata = {} }: GcpFailure, message: string, call: string) => {
  const permission =
    errorInfoMetadata["permission"] ?? /['"]?\b(\w+\.\w+\.\w+)\b['"]? (?:permission )?denied/i.exec(message)?.[1]
  const action = permission ?? call
  const account = /[\w.-]+@[\w.-]+\.gserviceaccount\.com/.exec(message)?.[0]
  const hint = /actas$/i.test(action) && account !== undefined ? { hint: grantActAs(account) } : {}
  return { _tag: "Denied", message, action, ...hint } as const
}

/** How a principal is allowed to deploy what runs as a service account. */
export const grantActAs = (account: string, principal?: string): string => {
  const kind = principal?.endsWith("gserviceaccount.com") === true ? "serviceAccount" : "user"
  const member = principal === undefined ? "<member>" : `${kind}:${principal}`
  return `Allow it: gcloud iam service-accounts add-iam-policy-binding ${account} --member ${member} --role roles/iam.serviceAccountUser`
}

/** Services of a project are switched on one by one. */
const disabled = ({ errorInfoMetadata = {} }: GcpFailure, message: string): ProviderReason => {
  const api = errorInfoMetadata["service"] ?? "run.googleapis.com"
  const project = errorInfoMetadata["consumer"]?.replace(/^projects\//, "")
  const where = project === undefined ? "" : ` --project ${project}`
  return { _tag: "Denied", message, action: api, hint: `Enable it: gcloud services enable ${api}${where}` }
}

const withoutCredentials = /Could not load the default credentials|Could not refresh access token|no credentials/i
const ranOut = /invalid_grant|invalid_rapt|reauth|token has been expired or revoked|ACCESS_TOKEN_EXPIRED/i

/** Classifies what a client has thrown. `call` is the permission that the call needs, `run.services.update`. */
export const gcpReason = (error: unknown, call: string): ProviderReason => {
  const failure = error as GcpFailure
  const message =
    failure.message === undefined || failure.message === ""
      ? `${call} failed: ${String(error)}`
      : failure.message.replace(/^\d+ [A-Z_]+: /, "")
  if (/unable to impersonate/.test(message)) {
    const hint = "Let it create tokens of the service account (roles/iam.serviceAccountTokenCreator on that account)."
    return { ...denied(failure, message, "iam.serviceAccounts.getAccessToken"), hint }
  }
  if (ranOut.test(message) || failure.reason === "ACCESS_TOKEN_EXPIRED")
    return { _tag: "Expired", message, hint: signIn }
  if (withoutCredentials.test(message)) return { _tag: "Denied", message, action: call, hint: signIn }
  switch (failure.code) {
    case 3:
      return { _tag: "Invalid", message, path: [] }
    case 5:
      return { _tag: "Missing", message }
    case 6:
    case 10:
      return { _tag: "Conflict", message }
    case 7:
      return failure.reason === "SERVICE_DISABLED" ? disabled(failure, message) : denied(failure, message, call)
    case 8:
      return failure.reason === "QUOTA_EXCEEDED" ||
        /quota exceeded for quota metric|limit of the project/i.test(message)
        ? quota(failure, message)
        : { _tag: "Throttled", message, retryAfterMs: retryAfter(failure) }
    case 16:
      return { _tag: "Expired", message, hint: signIn }
    case 1:
    case 4:
    case 13:
    case 14:
      return { _tag: "Unavailable", message }
  }
  if (
    typeof failure.code === "string" &&
    /^(ECONN|EPIPE|EAI_|ENOTFOUND|ETIMEDOUT|EHOST|ENET|ERR_STREAM)/.test(failure.code)
  ) {
    return { _tag: "Unavailable", message }
  }
  if (/socket hang up|network|fetch failed|Total timeout/i.test(message)) return { _tag: "Unavailable", message }
  return { _tag: "Unexpected", message }
}

/** A quota by the minute passes; one of the account does not. */
const quota = (failure: GcpFailure, message: string): ProviderReason =>
  /per minute|per second/i.test(failure.errorInfoMetadata?.["quota_limit"] ?? message) ||
  /PerMinute/.test(failure.errorInfoMetadata?.["quota_limit"] ?? "")
    ? { _tag: "Throttled", message, retryAfterMs: retryAfter(failure) }
    : { _tag: "Quota", message }
