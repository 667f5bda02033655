/**
 * Failures of a notifier, classified: whether a retry makes sense, and whether the receiver may have the notification.
 */
import * as Schema from "effect/Schema"
import { type ErrorCode, type ErrorInfo, errorInfo, errors } from "../domain/errors/index.ts"

const reason = <const Tag extends string, const Fields extends Schema.Struct.Fields>(tag: Tag, fields: Fields) =>
  Schema.TaggedStruct(tag, { message: Schema.String, hint: Schema.optionalKey(Schema.String), ...fields })

/**
 * Why a notification was not sent.
 *
 * *Details*: `hint` says what to do next, and replaces the default hint.
 *
 * - `RateLimited` too many notifications; nothing is sent there for at least `retryAfterMs`
 * - `Unavailable` the receiver cannot be reached or fails, and certainly does not have it; `retryAfterMs` if it said so
 * - `Unknown` the answer was lost: the receiver may have it
 * - `Denied` credentials are missing, wrong or not allowed
 * - `Gone` the receiver does not exist any more
 * - `Invalid` the receiver rejects the notification, or an option is wrong; `path` points into the options
 * - `TooLarge` the notification exceeds a limit of the receiver
 */
export const NotifyReason = Schema.Union([
  reason("RateLimited", { retryAfterMs: Schema.Int }),
  reason("Unavailable", { retryAfterMs: Schema.optionalKey(Schema.Int) }),
  reason("Unknown", {}),
  reason("Denied", {}),
  reason("Gone", {}),
  reason("Invalid", { path: Schema.optionalKey(Schema.Array(Schema.String)) }),
  reason("TooLarge", {})
])
export type NotifyReason = typeof NotifyReason.Type

const codes = {
  RateLimited: "notify_rate_limited",
  Unavailable: "notify_unavailable",
  Unknown: "notify_unknown",
  Denied: "notify_denied",
  Gone: "notify_gone",
  Invalid: "notify_invalid",
  TooLarge: "notify_too_large"
} as const satisfies { readonly [Tag in NotifyReason["_tag"]]: ErrorCode }

/**
 * The one error of the Notifier port.
 *
 * *Errors*: `RateLimited`, `Unavailable` and `Unknown` are retryable; `maybeSent` is true for `Unknown` alone.
 */
export class NotifyError extends Schema.TaggedError<NotifyError>()("NotifyError", {
  channel: Schema.String,
  notifier: Schema.String,
  reason: NotifyReason
}) {
  override get message(): string {
    return this.reason.message
  }

  get isRetryable(): boolean {
    return errors[codes[this.reason._tag]].retryable
  }

  get maybeSent(): boolean {
    return this.reason._tag === "Unknown"
  }

  /** How every surface shows it. */
  get info(): ErrorInfo {
    const { channel, notifier, reason } = this
    return errorInfo(
      codes[reason._tag],
      { channel, notifier },
      {
        detail: reason.message,
        ...(reason._tag === "Invalid" && reason.path !== undefined
          ? { path: ["notifications", "channels", channel, "options", ...reason.path].join(".") }
          : {}),
        ...(reason.hint === undefined ? {} : { remedies: [{ _tag: "hint", text: reason.hint } as const] })
      }
    )
  }
}
