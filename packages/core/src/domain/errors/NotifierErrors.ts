/** Errors of the channels of notifications. `reason` of the port's error is the end of the code. */
import { error } from "./Registry.ts"

const channel = { channel: "text", notifier: "text" } as const
const again = { retryable: true } as const

export const notifierErrors = {
  notify_rate_limited: error(
    "unavailable",
    "provider",
    channel,
    "The channel limits the rate of notifications.",
    again
  ),
  notify_unavailable: error("unavailable", "provider", channel, "The channel cannot be reached.", again),
  notify_unknown: error(
    "unavailable",
    "provider",
    channel,
    "The channel gave no answer: the notification was perhaps sent.",
    again
  ),
  notify_denied: error("failed", "environment", channel, "The credentials of the channel are missing or not allowed."),
  notify_gone: error("failed", "configuration", channel, "The channel does not exist any more."),
  notify_invalid: error("usage", "configuration", channel, "The channel rejects the notification or its options."),
  notify_too_large: error("failed", "signalbox", channel, "The notification is too large for the channel.")
} as const
