/**
 * Says what a command waits for, as long as it waits.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { type CorrelationId, DeploymentStore } from "@signalbox/core/spi"
import type { Invocation } from "../Invocation.ts"
import { clock, span } from "../live/words.ts"
import type { Place } from "../place.ts"
import { signalbox } from "../services.ts"

const look = 500
const heartbeat = 30_000

/** Writes a line when what is in the way changes, and every half minute; ends when its turn has come. */
export const tellWaiting = Effect.fnUntraced(function* (inv: Invocation, place: Place, id: CorrelationId) {
  const box = yield* signalbox
  const store = yield* DeploymentStore
  let told = { what: "", at: 0 }
  for (;;) {
    yield* Effect.sleep(look)
    const state = yield* store.execution(id)
    if (state === undefined || state.status !== "queued" || state.turnAt !== undefined) return
    const { blockers } = yield* box.canDeploy({
      manifest: place.manifest,
      deploymentId: place.deploymentId,
      environment: place.environment,
      kind: "run",
      correlationId: id,
      ...(state.version === undefined ? {} : { version: state.version }),
      ...(state.override === undefined ? {} : { override: state.override })
    })
    const now = yield* Clock.currentTimeMillis
    const text = blockers
      .map(({ clearsAt, kind, message, who }) => {
        const until = clearsAt === null ? "" : ` until about ${clock(clearsAt.point, now)}`
        return kind === "lease" ? `${who} holds the lock${until}` : `${message}${until}`
      })
      .join("; ")
    // That the end is expected at another time now is no news.
    const what = blockers.map(({ kind, who }) => `${kind} ${who}`).join()
    if (text === "" || (what === told.what && now - told.at < heartbeat)) continue
    told = { what, at: now }
    yield* inv.say(`waiting for ${span(now - state.requestedAt)}: ${text}`)
  }
})
