/**
 * What can go wrong at a provider, classified: is it worth repeating, whose fault is it, what next.
 */
import * as Schema from "effect/Schema"
import type { ErrorInfo } from "../domain/Release.ts"

const reason = <const Tag extends string, const Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
  Schema.TaggedStruct(tag, { message: Schema.String, ...fields })

/**
 * Why an operation of a provider failed.
 *
 * *Details*:
 * - `Invalid` the properties or the artifact are wrong; `path` points into the properties
 * - `Missing` the stack, release or artifact does not exist (any more)
 * - `Busy` somebody else's operation is in flight on the stack
 * - `Conflict` it changed since it was read: read again, plan again
 * - `Fenced` a newer holder of the lease has been there: stop at once
 * - `Throttled` too many calls, for `retryAfterMs`
 * - `Unavailable` the provider did not answer
 * - `Denied` credentials are missing, expired or not allowed
 * - `Unsupported` the provider does not have that capability
 * - `Broken` the release itself does not come up: its process exits, its health check fails; `hint` says where to look
 * - `Unexpected` an answer that the adapter does not know; the adapter logs it at level debug. `hint` replaces the usual one
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

const facts: {
  readonly [Tag in ProviderReason["_tag"]]: {
    readonly code: string
    readonly retryable: boolean
    readonly fault: "user" | "provider" | "signalbox"
    readonly hint: string
  }
} = {
  Invalid: { code: "invalid_properties", retryable: false, fault: "user", hint: "Correct the stack's properties." },
  Missing: { code: "not_found", retryable: false, fault: "user", hint: "Check the name, or deploy it first." },
  Busy: { code: "stack_busy", retryable: false, fault: "provider", hint: "Wait until that operation is over." },
  Conflict: { code: "conflict", retryable: true, fault: "provider", hint: "It is read and planned again." },
  Fenced: { code: "lease_lost", retryable: false, fault: "signalbox", hint: "Another execution holds the lease now." },
  Throttled: { code: "throttled", retryable: true, fault: "provider", hint: "It is tried again after a pause." },
  Unavailable: {
    code: "provider_unavailable",
    retryable: true,
    fault: "provider",
    hint: "Check that it is reachable."
  },
  Denied: { code: "access_denied", retryable: false, fault: "user", hint: "Check the credentials and permissions." },
  Unsupported: { code: "unsupported", retryable: false, fault: "user", hint: "Choose another strategy or provider." },
  Broken: { code: "release_broken", retryable: false, fault: "user", hint: "Look at the release's own log." },
  Unexpected: {
    code: "provider_failed",
    retryable: false,
    fault: "provider",
    hint: "Run again with --log-level debug."
  }
}

/**
 * The one error of the Provider port.
 *
 * *Errors*: `isRetryable` tells whether the same call may succeed later; core repeats those by itself, with backoff.
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
    return facts[this.reason._tag].retryable
  }

  get fault(): "user" | "provider" | "signalbox" {
    return facts[this.reason._tag].fault
  }

  /** How every surface shows it. */
  get info(): ErrorInfo {
    const { code, hint } = facts[this.reason._tag]
    const invalid = this.reason._tag === "Invalid" ? this.reason : undefined
    return {
      code,
      message: `${this.stackName}: ${this.message}`,
      hint: ("hint" in this.reason ? this.reason.hint : undefined) ?? hint,
      ...(invalid === undefined ? {} : { path: ["stacks", this.stackName, "properties", ...invalid.path].join(".") })
    }
  }
}
