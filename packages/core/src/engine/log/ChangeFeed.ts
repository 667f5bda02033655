import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"

/** For this long after its time, in ms, an event is expected at any moment. */
const overdue = 50

/**
 * Pulses whenever something may have happened in the store, including after an outage: then it follows the store again
 * every second. An extra pulse is harmless.
 */
export const lastingChanges = (store: DeploymentStore["Service"]): Stream.Stream<void> =>
  Stream.orDie(Stream.retry(store.changes, Schedule.spaced("1 second")))

/**
 * Waits for something to happen in the store.
 *
 * *Details*: follows the changes until the scope closes; events since the last wait end the next one at once, so that
 * nothing is missed between looking and waiting. A wait ends after a second at the latest, and at `until`, because
 * nothing announces a death or the arrival of a time. An overdue event is checked four times a second.
 */
export const changeFeed: Effect.Effect<(until?: number) => Effect.Effect<void>, never, DeploymentStore | Scope.Scope> =
  Effect.gen(function* () {
    const store = yield* DeploymentStore
    const arrived = yield* Queue.sliding<void>(1)
    yield* store.changes.pipe(
      Stream.runForEach(() => Queue.offer(arrived, undefined)),
      // Readers notice a store that is unavailable for a while.
      Effect.ignore,
      Effect.andThen(Effect.sleep("200 millis")),
      Effect.forever,
      Effect.forkScoped
    )
    return (until = Number.POSITIVE_INFINITY) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const left = until - now
        const millis = left < -overdue ? 250 : Math.max(10, Math.min(left, 1_000))
        return Effect.raceFirst(Queue.take(arrived), Effect.sleep(Duration.millis(millis)))
      })
  })
