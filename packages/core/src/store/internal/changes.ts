import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"
import * as RcRef from "effect/RcRef"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { StoreError } from "../../spi/StoreError.ts"

/**
 * Merges the pulses of this process with those of others. However many subscribe, the others are watched once, and only
 * while somebody does.
 */
export const makeChanges = (
  elsewhere: Stream.Stream<void, StoreError>
): Effect.Effect<
  { readonly changes: Stream.Stream<void, StoreError>; readonly pulse: Effect.Effect<void> },
  never,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const pulses = yield* PubSub.sliding<void>(1)
    const pulse = Effect.sync(() => {
      PubSub.publishUnsafe(pulses, undefined)
    })
    const watch = yield* RcRef.make({
      acquire: Effect.gen(function* () {
        const ready = yield* Deferred.make<void, StoreError>()
        const failed = yield* Deferred.make<never, StoreError>()
        yield* Stream.runForEach(elsewhere, () => Effect.andThen(pulse, Deferred.succeed(ready, undefined))).pipe(
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
        const own = yield* PubSub.subscribe(pulses)
        const failed = yield* RcRef.get(watch)
        const failure = Effect.onError(Deferred.await(failed), () => RcRef.invalidate(watch))
        return Stream.concat(
          Stream.succeed<void>(undefined),
          Stream.merge(Stream.fromSubscription(own), Stream.fromEffect(failure))
        )
      })
    )
    return { changes, pulse }
  })
