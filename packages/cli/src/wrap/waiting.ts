/**
 * Says what a command waits for, as long as it waits.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type CorrelationId, DeploymentStore } from "@signalbox/core/spi"
import type { Invocation } from "../Invocation.ts"
import { span } from "../live/words.ts"
import { isWaiting, lookAt } from "../lookAt.ts"

const pause = 500
const heartbeat = 30_000

/** Writes a line when who or what is in the way changes, and every half minute; ends when its turn has come. */
export const tellWaiting = Effect.fnUntraced(function* (inv: Invocation, id: CorrelationId) {
  const store = yield* DeploymentStore
  let told = { what: "", at: 0 }
  for (;;) {
    yield* Effect.sleep(pause)
    const state = yield* store.execution(id)
    if (state === undefined || !isWaiting(state)) return
    const { blockers, message } = yield* lookAt(state)
    const now = yield* Clock.currentTimeMillis
    // That the end is expected at another time now is no news.
    const what = blockers.map(({ kind, who }) => `${kind} ${who}`).join()
    if (what === "" || (what === told.what && now - told.at < heartbeat)) continue
    told = { what, at: now }
    yield* inv.say(`waiting for ${span(now - state.requestedAt)}: ${message}`)
  }
})
