import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as EventId from "../../domain/EventId.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import type { Mutation } from "../../spi/Provider.ts"
import { ProviderError } from "../../spi/ProviderError.ts"
import { checkAll } from "../lease/index.ts"
import { progressReported } from "../log/index.ts"
import { ExecutionContext } from "./ExecutionContext.ts"

/**
 * The input of a step's mutating operation.
 */
export const mutationOf = Effect.fnUntraced(function* (
  stack: StackSpec,
  name: string
): Effect.fn.Return<Mutation, never, ExecutionContext> {
  const { claim, journal, lock } = yield* ExecutionContext
  const refuse = (tag: "Fenced" | "Unavailable", message: string) =>
    Effect.fail(
      new ProviderError({
        provider: stack.provider,
        operation: name,
        stackName: stack.name,
        reason:
          tag === "Fenced" ? { _tag: "Fenced", message, fence: lock.lease().fence } : { _tag: "Unavailable", message }
      })
    )
  return {
    idempotencyKey: `${journal.correlationId}/${name}`,
    fence: lock.lease().fence,
    // A runner whose claim is over may still hold the lease, until its successor takes it.
    guard: checkAll([claim, lock]).pipe(
      Effect.catchTags({
        LeaseLost: (error) => refuse("Fenced", error.message),
        StoreError: (error) => refuse("Unavailable", error.message)
      })
    ),
    progress: (event) =>
      journal.record(EventId.providerEvent(stack.name, event.id), progressReported(stack.name, event)),
    handle: {
      get: Effect.sync(() => journal.handle(name).handle),
      set: (handle) =>
        Effect.suspend(() => {
          const before = journal.handle(name)
          if (before.handle === handle) return Effect.void
          return Effect.andThen(
            journal.record(EventId.handle(name, before.count + 1), {
              _tag: "HandleRecorded",
              step: name,
              stack: stack.name,
              handle
            }),
            journal.commit
          )
        })
    },
    leaseLeft: Effect.gen(function* () {
      const now = yield* Clock.currentTimeMillis
      const ends = yield* Effect.forEach([claim, lock], ({ deadline }) => SubscriptionRef.get(deadline))
      return Duration.millis(Math.max(0, Math.min(...ends) - now))
    })
  }
})
