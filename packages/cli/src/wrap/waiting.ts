/**
 * Reports what a command waits for, as long as it waits.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CorrelationId } from "@signalbox/core/spi"
import type { Invocation } from "../main/Invocation.ts"
import { plain, span } from "../live/words.ts"
import { isWaiting, lookAt } from "../waiting/lookAt.ts"
import { engine, signalbox } from "../main/services.ts"

const pause = 500
const heartbeat = 30_000

/**
 * Writes a line when the blockers change, and every half minute; ends on admission. An outage of the store, and its
 * end, are reported once.
 */
export const tellWaiting = Effect.fnUntraced(function* (inv: Invocation, id: CorrelationId) {
  const { executions } = yield* signalbox
  const { Monitor } = yield* engine
  const lasting = Monitor.enduring((error) =>
    inv.say(
      error === undefined
        ? "reconciled: the store is back"
        : `degraded: it waits on without the store (${plain(error.message)})`
    )
  )
  let told = { what: "", at: 0 }
  const look = Effect.gen(function* () {
    const state = yield* executions.get(id)
    return state === undefined || !isWaiting(state) ? undefined : { state, ...(yield* lookAt(state)) }
  })
  for (;;) {
    yield* Effect.sleep(pause)
    const seen = yield* lasting(look)
    if (seen === undefined) return
    const { blockers, message, state } = seen
    const now = yield* Clock.currentTimeMillis
    // A changed estimate of the end is not news.
    const what = blockers.map(({ kind, who }) => `${kind} ${who}`).join()
    if (what === "" || (what === told.what && now - told.at < heartbeat)) continue
    told = { what, at: now }
    yield* inv.say(`waiting for ${span(now - state.requestedAt)}: ${message}`)
  }
})
