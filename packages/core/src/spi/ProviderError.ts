/**
 * Failures of a provider, classified: whether a retry makes sense, whose fault it is, what to do next.
 */
import * as Schema from "effect/Schema"
import { type ErrorCode, type ErrorInfo, errorInfo, errors, type ErrorFault } from "../domain/errors/index.ts"

const reason = <const Tag extends string, const Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
  Schema.TaggedStruct(tag, { message: Schema.String, ...fields })

/**
 * Why an operation of a provider failed.
 *
 * *Details*:
 * - `Invalid` the properties or the artifact are wrong; `path` points into the properties
 * - `Missing` the stack, release or artifact does not exist (any more)
 * - `Busy` another operation is in progress on the stack
 * - `Conflict` it changed since it was read: read and plan again
 * - `Fenced` a newer holder of the lease has called: stop at once
 * - `Throttled` too many calls, for `retryAfterMs`
 * - `Unavailable` the provider did not answer
 * - `Denied` credentials are missing, expired or not allowed
 * - `Unsupported` the provider does not have that capability
 * - `Broken` the release itself fails: its process exits, its health check fails; `hint` says where to look
 * - `Unexpected` an answer that the adapter does not recognise; the adapter logs it at level debug. `hint` replaces the
 *   default one
 */
export const ProviderReason = Schema.Union([
  reason("Invalid", { path: Schema.Array(Schema.String), hint: Schema.optionalKey(Schema.String) }),
  reason("Missing", {}),
  reason("Busy", { operation: Schema.String, since: Schema.optionalKey(Schema.Int) }),
  reason("Conflict", {}),
  reason("Fenced", { fence: Schema.Int }),
  reason("Throttled", { retryAfterMs: Schema.Int }),
  reason("Unavailable", {}),
  reason("Denied", {}),
  reason("Unsupported", { capability: Schema.String }),
  reason("Broken", { resource: Schema.optionalKey(Schema.String), hint: Schema.optionalKey(Schema.String) }),
  reason("Unexpected", { hint: Schema.optionalKey(Schema.String) })
])
export type ProviderReason = typeof ProviderReason.Type

/** The code of each reason; the registry says the rest. */
const codes = {
  Invalid: "invalid_properties",
  Missing: "not_found",
  Busy: "stack_busy",
  Conflict: "conflict",
  Fenced: "fenced",
  Throttled: "throttled",
  Unavailable: "provider_unavailable",
  Denied: "access_denied",
  Unsupported: "unsupported",
  Broken: "release_broken",
  Unexpected: "provider_failed"
} as const satisfies { readonly [Tag in ProviderReason["_tag"]]: ErrorCode }

/**
 * The one error of the Provider port.
 *
 * *Errors*: `isRetryable` tells whether the same call may succeed later; core retries those with backoff.
 */
export class ProviderError extends Schema.TaggedError<ProviderError>()("ProviderError", {
  provider: Schema.String,
  operation: Schema.String,
  stackName: Schema.String,
  reason: ProviderReason
}) {
  override get message(): string {
    return this.reason.message
  }

  get isRetryable(): boolean {
    return errors[codes[this.reason._tag]].retryable
  }

  get fault(): ErrorFault {
    return errors[codes[this.reason._tag]].fault
  }

  /** How every surface shows it. */
  get info(): ErrorInfo {
    const { reason } = this
    const hint = "hint" in reason ? reason.hint : undefined
    return errorInfo(
      codes[reason._tag],
      { stack: this.stackName, provider: this.provider, operation: this.operation },
      {
        detail: reason.message,
        ...(hint === undefined ? {} : { remedies: [{ _tag: "hint", text: hint }] }),
        ...(reason._tag === "Invalid"
          ? { path: ["stacks", this.stackName, "properties", ...reason.path].join(".") }
          : {})
      }
    )
  }
}
