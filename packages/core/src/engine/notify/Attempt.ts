/**
 * One attempt to send, and what follows from its outcome.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Json } from "../../domain/Release.ts"
import type { Notifier } from "../../spi/Notifier.ts"
import { NotifyError } from "../../spi/NotifyError.ts"
import type { DeliveryState } from "../../spi/Outbox.ts"
import { messageText, type MessageTemplate } from "../../text/index.ts"

/** A notifier that does not answer in time is interrupted. */
const longestAttempt = "30 seconds"
/** Times between attempts, in ms: doubled each time. */
const firstPause = 1_000
const longestPause = 5 * 60_000
/** After this time without success, a notification is dead, in ms: a day. */
const givenUpAfter = 24 * 60 * 60_000

/** Renders a delivery as its channel would send it. */
export const render = (
  notifier: Notifier,
  { channel, message }: Pick<DeliveryState, "channel" | "message">,
  template?: MessageTemplate
): Effect.Effect<Json, NotifyError> =>
  Effect.try({
    try: () => {
      const usual = messageText(message)
      return notifier.render(message, template === undefined ? usual : template(message, usual))
    },
    catch: (error) =>
      new NotifyError({
        channel,
        notifier: notifier.kind,
        reason: {
          _tag: "Invalid",
          message: `it cannot be rendered: ${error instanceof Error ? error.message : "unknown"}`
        }
      })
  })

/** Sends it once. */
export const attempt = Effect.fnUntraced(function* (
  notifier: Notifier,
  delivery: DeliveryState,
  earlier: DeliveryState["receipt"],
  template?: MessageTemplate
) {
  const { attempts, channel, id, message, stream } = delivery
  const rendered = yield* render(notifier, delivery, template)
  const at = yield* Clock.currentTimeMillis
  return yield* notifier.send({ id, thread: stream, attempt: attempts + 1, at, earlier, message }, rendered).pipe(
    Effect.timeoutOrElse({
      duration: longestAttempt,
      orElse: () =>
        Effect.fail(
          new NotifyError({
            channel,
            notifier: notifier.kind,
            reason: { _tag: "Unknown", message: "it did not answer within 30 seconds" }
          })
        )
    }),
    Effect.catchDefect((defect) =>
      Effect.fail(
        new NotifyError({
          channel,
          notifier: notifier.kind,
          reason: { _tag: "Unknown", message: defect instanceof Error ? defect.message : "an unknown error" }
        })
      )
    )
  )
})

/** The delivery after a failed attempt: to be repeated, or dead. */
export const afterFailure = Effect.fnUntraced(function* (delivery: DeliveryState, error: NotifyError) {
  const now = yield* Clock.currentTimeMillis
  const attempts = delivery.attempts + 1
  const failed = { ...delivery, attempts, updatedAt: now, error: error.info }
  if (!error.isRetryable || now - delivery.createdAt > givenUpAfter) {
    return { ...failed, status: "dead", nextAt: 0 } as const
  }
  const { reason } = error
  const asked = "retryAfterMs" in reason ? (reason.retryAfterMs ?? 0) : 0
  const pause = Math.min(longestPause, firstPause * 2 ** Math.min(attempts - 1, 20))
  // Spread out, so that everything that waits does not come back at the same moment.
  const jittered = pause * (0.5 + (yield* Random.next) / 2)
  return { ...failed, nextAt: Math.ceil(now + Math.max(asked, jittered)) }
})
