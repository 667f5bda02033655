/**
 * The channels of this process: opened when they are needed, and left alone for a while if they fail.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Notifier } from "../../spi/Notifier.ts"
import type { NotificationSetup } from "../../spi/Notifications.ts"
import { NotifyError } from "../../spi/NotifyError.ts"

/** After so many failures in a row, a channel is left alone. */
const failuresToOpen = 8
/** For how long, in ms: doubled each time, up to the longest. */
const shortest = 2_000
const longest = 30_000
/** How many notifications are on their way to one channel at the same time: a process that dies repeats no more. */
const width = 2
/** A channel that cannot be opened here is tried again after this time, in ms. */
const reopenAfter = 60_000
const minute = 60_000
/** A channel that has not answered its first notification by then is not waited for, in ms. */
const soon = 500
/** Without an answer to its first notification, it does not get more until it has answered; in ms. */
const silent = 150

/**
 * One channel.
 *
 * *Details*: `freeAt` is when it may be used next, 0 for now. `answers` is whether it is worth waiting for: it took the last
 * notification, or has not been tried for long yet. `isAway` is whether it has not answered yet, or refused often.
 */
export interface Channel {
  readonly name: string
  readonly opened: Effect.Effect<Notifier, NotifyError>
  readonly freeAt: (now: number) => number
  readonly answers: (now: number) => boolean
  readonly isAway: (now: number) => boolean
  readonly enter: (now: number) => void
  readonly leave: (outcome: "sent" | "refused" | NotifyError, now: number) => void
}

/** Makes the channel of a configuration. */
export const makeChannel = (name: string, setup: NotificationSetup): Channel => {
  let notifier: Notifier | undefined
  let underway = 0
  let failures = 0
  let closedUntil = 0
  let isFailing = false
  let hasAnswered = false
  let enteredAt = 0
  let sent: Array<number> = []

  const open = Effect.gen(function* () {
    if (notifier !== undefined) return notifier
    const { kind, options = {} } = setup.settings.channels[name]!
    const found = setup.kinds.get(kind)
    const opened = yield* found === undefined
      ? Effect.fail(
          new NotifyError({
            channel: name,
            notifier: kind,
            reason: { _tag: "Invalid", message: `no plug-in brings the notifier ${kind}`, path: ["kind"] }
          })
        )
      : found.make(name, options)
    notifier = opened
    return opened
  })

  const answers = (now: number) => !isFailing && (hasAnswered || underway === 0 || now - enteredAt < soon)

  const perMinute = () => notifier?.capabilities.limits.perMinute

  return {
    name,
    // A channel that this process cannot open may be fine in another one: its notifications stay as they are.
    opened: Effect.tapError(open, () =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        closedUntil = now + reopenAfter
        isFailing = true
      })
    ),
    freeAt: (now) => {
      // A channel that was left alone is tried with one notification first.
      if (underway >= (failures >= failuresToOpen ? 1 : width)) return Number.POSITIVE_INFINITY
      if (closedUntil > now) return closedUntil
      const most = perMinute()
      if (most === undefined) return 0
      sent = sent.filter((at) => at > now - minute)
      return sent.length < most ? 0 : sent[0]! + minute
    },
    answers,
    isAway: (now) =>
      failures >= failuresToOpen || (!hasAnswered && (isFailing || (underway > 0 && now - enteredAt > silent))),
    enter: (now) => {
      if (underway === 0) enteredAt = now
      underway++
      if (perMinute() !== undefined) sent.push(now)
    },
    leave: (outcome, now) => {
      underway--
      hasAnswered ||= outcome === "sent" || outcome === "refused"
      if (outcome === "sent") {
        failures = 0
        closedUntil = 0
        isFailing = false
      } else if (outcome === "refused") {
        isFailing = false
      } else if (outcome.reason._tag === "RateLimited") {
        closedUntil = now + outcome.reason.retryAfterMs
      } else {
        failures++
        isFailing = true
        if (failures >= failuresToOpen) {
          closedUntil = now + Math.min(longest, shortest * 2 ** (failures - failuresToOpen))
        }
      }
    }
  }
}
