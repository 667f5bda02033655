/**
 * The failures of AWS, as reasons of the provider port.
 */
import type { ProviderReason } from "@signalbox/core/spi"

/** What the client throws, as far as it is looked at. */
interface AwsFailure {
  readonly name?: string
  readonly Code?: string
  readonly code?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> }
}

const throttled = new Set([
  "Throttling",
  "ThrottlingException",
  "ThrottledException",
  "TooManyRequestsException",
  "RequestLimitExceeded",
  "RequestThrottled",
  "RequestThrottledException",
  "SlowDown",
  "PriorRequestNotComplete",
  "ProvisionedThroughputExceededException",
  "TransactionInProgressException",
  "BandwidthLimitExceeded"
])
const expired = new Set(["ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"])
const denied = new Set([
  "AccessDenied",
  "AccessDeniedException",
  "UnauthorizedOperation",
  "AuthFailure",
  "InvalidClientTokenId",
  "UnrecognizedClientException",
  "SignatureDoesNotMatch",
  "MissingAuthenticationToken",
  "OptInRequired"
])
const quota = new Set([
  "LimitExceeded",
  "LimitExceededException",
  "LimitExceededFault",
  "ServiceQuotaExceededException",
  "TooManyActions",
  "TooManyTargets",
  "TooManyTags"
])
const conflict = new Set([
  "AlreadyExistsException",
  "InvalidChangeSetStatus",
  "InvalidChangeSetStatusException",
  "ChangeSetNotFound",
  "ChangeSetNotFoundException",
  "TokenAlreadyExistsException",
  "OperationInProgressException",
  "OperationStatusCheckFailedException",
  "ResourceContention",
  "ResourceContentionFault"
])
const missing = new Set([
  "ListenerNotFound",
  "ListenerNotFoundException",
  "RuleNotFound",
  "RuleNotFoundException",
  "TargetGroupNotFound",
  "TargetGroupNotFoundException",
  "LoadBalancerNotFound",
  "LoadBalancerNotFoundException",
  "InvalidLaunchTemplateId.NotFound",
  "InvalidLaunchTemplateId.VersionNotFound",
  "ActiveInstanceRefreshNotFound",
  "ActiveInstanceRefreshNotFoundFault"
])
/** What Auto Scaling answers while something else goes on; the message says what. */
const busyNames = new Set([
  "InstanceRefreshInProgress",
  "InstanceRefreshInProgressFault",
  "ScalingActivityInProgress",
  "ScalingActivityInProgressFault"
])
const network =
  /^(ECONN|EPIPE|EAI_|ENOTFOUND|ETIMEDOUT|EHOST|ENET|TimeoutError|NetworkingError|AbortError|RequestTimeout)/

/** The principal and the permission that a refusal names. */
const refusal = (message: string): { readonly action?: string; readonly principal?: string } => {
  const principal = /User: (\S+)/.exec(message)?.[1]
  const action = /not authorized to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9*]+)/.exec(message)?.[1]
  return { ...(action === undefined ? {} : { action }), ...(principal === undefined ? {} : { principal }) }
}

const withoutCredentials = "Sign in (aws sso login), or set AWS_PROFILE or AWS_ACCESS_KEY_ID."

/** How long the service asks to wait. */
const retryAfter = ({ $response }: AwsFailure): number => {
  const seconds = Number($response?.headers?.["retry-after"])
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1000 : 1000
}

/** Classifies what a client has thrown. `operation` is the permission that the call needs, `cloudformation:CreateStack`. */
export const awsReason = (error: unknown, operation: string): ProviderReason => {
  const failure = error as AwsFailure
  const name =
    failure.name === "Error" || failure.name === undefined ? (failure.Code ?? failure.code ?? "") : failure.name
  const message =
    failure.message === undefined || failure.message === "" ? `${operation} failed: ${name}` : failure.message
  const status = failure.$metadata?.httpStatusCode ?? 0
  if (throttled.has(name)) return { _tag: "Throttled", message, retryAfterMs: retryAfter(failure) }
  if (expired.has(name) || /token (included in the request )?(is|has) expired|session has expired/i.test(message)) {
    return { _tag: "Expired", message, hint: withoutCredentials }
  }
  if (name === "CredentialsProviderError") return { _tag: "Denied", message, hint: withoutCredentials }
  if (denied.has(name) || status === 403) return { _tag: "Denied", message, action: operation, ...refusal(message) }
  if (quota.has(name)) return { _tag: "Quota", message }
  if (missing.has(name)) return { _tag: "Missing", message }
  if (busyNames.has(name)) return { _tag: "Busy", message, operation: name.replace(/Fault$/, "") }
  if (conflict.has(name)) return { _tag: "Conflict", message }
  if (network.test(name) || network.test(failure.code ?? "") || status >= 500) return { _tag: "Unavailable", message }
  if (name === "InsufficientCapabilitiesException") return { _tag: "Invalid", message, path: ["capabilities"] }
  if (message.startsWith("Region is missing")) {
    return {
      _tag: "Invalid",
      message: "there is no region",
      path: [],
      hint: "Set region of the environment, or AWS_REGION."
    }
  }
  if (name === "ValidationError" || name === "ValidationException") return validation(message)
  return { _tag: "Unexpected", message: name === "" ? message : `${name}: ${message}` }
}

/** CloudFormation and Auto Scaling have one name for whatever they do not like. */
const validation = (message: string): ProviderReason => {
  const busy = /is in (\w+_IN_PROGRESS) state/.exec(message)?.[1]
  if (busy !== undefined) return { _tag: "Busy", message, operation: busy }
  if (/does not exist/.test(message)) return { _tag: "Missing", message }
  if (/TerminationProtection is enabled|termination protection/i.test(message)) {
    return { _tag: "Invalid", message, path: [], hint: "Switch off the termination protection of the stack." }
  }
  return { _tag: "Invalid", message, path: [] }
}
