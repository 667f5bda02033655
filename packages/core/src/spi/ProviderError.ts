/**
 * Failures of a provider, classified: whether a retry makes sense, whose fault it is, what to do next.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type ErrorCode, type ErrorInfo, errorInfo, errors, type ErrorFault } from "../domain/errors/index.ts"

const reason = <const Tag extends string, const Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
  Schema.TaggedStruct(tag, { message: Schema.String, hint: Schema.optionalKey(Schema.String), ...fields })

/**
 * Why an operation of a provider failed.
 *
 * *Details*: `hint` says what to do next, and replaces the default hint.
 *
 * - `Invalid` the properties or the artifact are wrong; `path` points into the properties
 * - `Missing` the stack, release or artifact does not exist (any more)
 * - `Busy` another operation is in progress on the stack: its name or description, its start, and its page
 * - `Conflict` a lost race: the same call may succeed, because it reads again
 * - `Changed` a field that the plan relied on was changed outside, from `was` to `is`
 * - `Fenced` a newer holder of the lease has called: stop at once
 * - `Throttled` too many calls; nothing is called again for at least `retryAfterMs`
 * - `Quota` a limit of the account is reached; only a person can raise it
 * - `Unavailable` the provider did not answer
 * - `Expired` the credentials ran out; core waits for new ones and never rolls back because of it
 * - `Denied` credentials are missing or not allowed: `principal` lacks the permission for `action`
 * - `Unsupported` the provider does not have that capability
 * - `Broken` the release itself fails: its process exits, its health check fails
 * - `Unexpected` an answer that the adapter does not recognise; the adapter logs it at level debug
 */
export const ProviderReason = Schema.Union([
  reason("Invalid", { path: Schema.Array(Schema.String) }),
  reason("Missing", {}),
  reason("Busy", {
    operation: Schema.String,
    since: Schema.optionalKey(Schema.Int),
    url: Schema.optionalKey(Schema.String)
  }),
  reason("Conflict", {}),
  reason("Changed", { field: Schema.String, was: Schema.String, is: Schema.String }),
  reason("Fenced", { fence: Schema.Int }),
  reason("Throttled", { retryAfterMs: Schema.Int }),
  reason("Quota", {}),
  reason("Unavailable", {}),
  reason("Expired", {}),
  reason("Denied", { action: Schema.optionalKey(Schema.String), principal: Schema.optionalKey(Schema.String) }),
  reason("Unsupported", { capability: Schema.String }),
  reason("Broken", { resource: Schema.optionalKey(Schema.String) }),
  reason("Unexpected", {})
])
export type ProviderReason = typeof ProviderReason.Type

/** The code of each reason; the registry says the rest. */
const codes = {
  Invalid: "invalid_properties",
  Missing: "not_found",
  Busy: "stack_busy",
  Conflict: "conflict",
  Changed: "changed_outside",
  Fenced: "fenced",
  Throttled: "throttled",
  Quota: "quota_exceeded",
  Unavailable: "provider_unavailable",
  Expired: "credentials_expired",
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
    const where = { stack: this.stackName, provider: this.provider, operation: this.operation }
    const more = {
      detail: reason.message,
      ...(reason.hint === undefined ? {} : { remedies: [{ _tag: "hint", text: reason.hint } as const] })
    }
    switch (reason._tag) {
      case "Invalid":
        return errorInfo("invalid_properties", where, {
          ...more,
          path: ["stacks", this.stackName, "properties", ...reason.path].join(".")
        })
      case "Busy":
        return errorInfo("stack_busy", where, {
          detail: reason.operation,
          remedies: [
            ...(more.remedies ?? []),
            ...(reason.url === undefined ? [] : [{ _tag: "console", url: reason.url } as const])
          ]
        })
      case "Changed":
        return errorInfo("changed_outside", { ...where, field: reason.field, was: reason.was, is: reason.is }, more)
      case "Denied":
        return errorInfo("access_denied", { ...where, action: reason.action, principal: reason.principal }, more)
      default:
        return errorInfo(codes[reason._tag], where, more)
    }
  }
}

/** Makes reasons errors of a provider, which name the operation and the stack; errors stay as they are. */
export const asProviderError =
  (provider: string) =>
  (operation: string, { stack }: { readonly stack: string }) =>
    Effect.mapError((failure: ProviderReason | ProviderError) =>
      failure instanceof ProviderError
        ? failure
        : new ProviderError({ provider, operation, stackName: stack, reason: failure })
    )
