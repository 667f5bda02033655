/**
 * A test of one channel, outside of the log and the outbox.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Message } from "../../domain/notification/index.ts"
import type { NotificationSetup } from "../../spi/Notifications.ts"
import { attempt, render } from "./Attempt.ts"
import { makeChannel } from "./Channel.ts"
import { deliveryOf } from "./plan.ts"

/** Renders a test message, and sends it once if told so. */
export const test = Effect.fnUntraced(function* (
  setup: NotificationSetup,
  channel: string,
  by: string,
  isSent: boolean
) {
  const now = yield* Clock.currentTimeMillis
  const message: Message = {
    stream: `~${channel}`,
    seq: 0,
    event: `test/${now}/${yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)}`,
    at: now,
    severity: "info",
    stacks: [],
    links: [],
    facts: { kind: "test", by }
  }
  const notifier = yield* makeChannel(channel, setup).opened
  const delivery = deliveryOf(message, { channel, why: "test", deploymentId: "", now })
  const rendered = yield* render(notifier, delivery, setup.template)
  return { rendered, receipt: isSent ? yield* attempt(notifier, delivery, null, setup.template) : null }
})
