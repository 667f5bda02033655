/**
 * The worker of a process: it begins once something is to be sent, and ends with the process.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import { Notifications, type NotificationSetup } from "../../spi/Notifications.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { FirstLook, lookFor, type OutboxLook } from "./FirstLook.ts"
import * as NotifyWorker from "./Worker.ts"

/** For so long, the end of a process waits for what is on its way. */
const patience = Duration.seconds(2)

/**
 * Notifications for a process: what it writes owes them, and they are sent in the background.
 *
 * *Details*: `read` gives the configuration, once something is to be sent, by this process or from before. A failure of
 * notifications fails nothing else. At the end, the process waits 2 seconds at most, and only for channels that answer.
 * If the store `isLocal`, a look into it costs less than to read the configuration, and comes first; else the look waits
 * until channels are known to be configured.
 */
export const layer = (
  read: Effect.Effect<NotificationSetup | undefined>,
  { isLocal = false }: { readonly isLocal?: boolean } = {}
): Layer.Layer<never, never, DeploymentStore | LeaseStore> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const wanted = yield* Deferred.make<void>()
      const setup = yield* Effect.cached(read)
      const store = yield* DeploymentStore
      const look = yield* Effect.cached(
        Effect.provideService(
          isLocal
            ? lookFor()
            : Effect.flatMap(setup, (found) => (found === undefined ? Effect.undefined : lookFor(found.deploymentId))),
          DeploymentStore,
          store
        )
      )
      const asked = Effect.tap(setup, (found) =>
        found === undefined ? Effect.void : Deferred.succeed(wanted, undefined)
      )
      return Layer.mergeAll(
        Layer.succeed(Notifications, asked),
        Layer.succeed(FirstLook, look),
        working(setup, look, wanted)
      )
    })
  )

const working = (
  setup: Effect.Effect<NotificationSetup | undefined>,
  look: Effect.Effect<OutboxLook | undefined, StoreError>,
  wanted: Deferred.Deferred<void>
) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      // Closed after the last flush, which therefore loses nothing that is on its way.
      const scope = yield* Scope.fork(yield* Effect.scope)
      const made = yield* Effect.cached(
        Effect.flatMap(setup, (found) =>
          found === undefined ? Effect.undefined : Effect.provideService(NotifyWorker.make(found), Scope.Scope, scope)
        )
      )
      const work = Effect.gen(function* () {
        const waiting = yield* Effect.orElseSucceed(look, () => undefined)
        if (waiting?.since !== undefined) yield* Deferred.succeed(wanted, undefined)
        yield* Deferred.await(wanted)
        const working = yield* made
        if (working !== undefined) return yield* Effect.retry(working.run, Schedule.spaced("1 second"))
      })
      const fiber = yield* Effect.forkIn(Effect.ignore(work), scope)
      yield* Effect.addFinalizer(() =>
        Effect.gen(function* () {
          // A short command may end before the worker has begun.
          const worker = (yield* Deferred.isDone(wanted)) ? yield* made : undefined
          yield* Fiber.interrupt(fiber)
          if (worker !== undefined) yield* worker.flush(patience)
        }).pipe(Effect.interruptible, Effect.timeoutOption(Duration.seconds(3)), Effect.ignore)
      )
    })
  )
