/**
 * What an error of Slack means for a notification.
 */
import type { NotifyReason } from "@signalbox/core/spi"

const denied: Readonly<Record<string, string>> = {
  invalid_auth: "Check the variable of the token.",
  not_authed: "Check the variable of the token.",
  token_revoked: "Install the app again, and set its new token.",
  token_expired: "Set a new token.",
  account_inactive: "Install the app again, and set its new token.",
  missing_scope: "Add the scope chat:write to the app, and install it again.",
  not_in_channel: "Invite the app to the channel: /invite @signalbox",
  no_permission: "Add the scope chat:write to the app, and install it again.",
  restricted_action: "Allow the app to post in this channel.",
  ekm_access_denied: "Ask an administrator of the workspace.",
  access_denied: "Ask an administrator of the workspace.",
  action_prohibited: "Ask an administrator of the workspace."
}

const known: Readonly<Record<string, NotifyReason["_tag"]>> = {
  channel_not_found: "Gone",
  is_archived: "Gone",
  channel_is_archived: "Gone",
  no_service: "Gone",
  no_team: "Gone",
  team_disabled: "Gone",
  msg_too_long: "TooLarge",
  msg_blocks_too_long: "TooLarge",
  ratelimited: "RateLimited",
  rate_limited: "RateLimited",
  message_limit_exceeded: "RateLimited",
  service_unavailable: "Unavailable",
  internal_error: "Unknown",
  fatal_error: "Unknown",
  request_timeout: "Unknown"
}

/** Errors after which a message is no longer there to change or to answer. */
export const isLost = (error: string): boolean =>
  error === "message_not_found" ||
  error === "edit_window_closed" ||
  error === "cant_update_message" ||
  error === "thread_not_found" ||
  error === "cannot_reply_to_message"

/** The reason of an error by its code. Of other text only its form is trusted. */
export const slackReason = (code: string): NotifyReason => {
  const error = /^[a-z_]{1,60}$/.test(code) ? code : "an unknown error"
  const message = `Slack answers ${error}`
  const hint = denied[error]
  if (hint !== undefined) return { _tag: "Denied", message, hint }
  const _tag = known[error] ?? "Invalid"
  if (_tag === "RateLimited") return { _tag, message, retryAfterMs: 30_000 }
  return _tag === "Gone"
    ? { _tag, message, hint: "Check the channel: a private one is seen only by an app that was invited." }
    : { _tag, message }
}
