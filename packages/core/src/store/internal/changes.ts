import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as RcRef from "effect/RcRef"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { StoreError } from "../../spi/StoreError.ts"

/**
 * Merges the pulses of this process with other processes' pulses. However many subscribe, the others are watched once, and only
 * while there is a subscriber.
 */
export const makeChanges = (
  elsewhere: Stream.Stream<void, StoreError>
): Effect.Effect<
  { readonly changes: Stream.Stream<void, StoreError>; readonly pulse: Effect.Effect<void> },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    // One queue for each subscriber: a sliding PubSub loses pulses where two subscribers read at different speeds.
    const subscribers = new Set<Queue.Queue<void>>()
    const pulse = Effect.sync(() => {
      for (const queue of subscribers) Queue.offerUnsafe(queue, undefined)
    })
    const subscribe = Effect.acquireRelease(
      Effect.tap(Queue.sliding<void>(1), (queue) => Effect.sync(() => subscribers.add(queue))),
      (queue) => Effect.sync(() => subscribers.delete(queue))
    )
    const watch = yield* RcRef.make({
      acquire: Effect.gen(function* () {
        const ready = yield* Deferred.make<void, StoreError>()
        const failed = yield* Deferred.make<never, StoreError>()
        // The first pulse says that it is ready, and every subscriber that waits for it begins with a pulse anyway.
        yield* Stream.runForEach(elsewhere, () =>
          Effect.flatMap(Deferred.succeed(ready, undefined), (first) => (first ? Effect.void : pulse))
        ).pipe(
          Effect.onError((cause) =>
            Effect.andThen(Deferred.failCause(failed, cause), Deferred.failCause(ready, cause))
          ),
          Effect.forkScoped
        )
        yield* Deferred.await(ready)
        return failed
      })
    })
    const changes = Stream.unwrap(
      Effect.gen(function* () {
        const own = yield* subscribe
        const failed = yield* RcRef.get(watch)
        const failure = Effect.onError(Deferred.await(failed), () => RcRef.invalidate(watch))
        return Stream.concat(
          Stream.succeed<void>(undefined),
          Stream.merge(Stream.fromQueue(own), Stream.fromEffect(failure))
        )
      })
    )
    return { changes, pulse }
  })
