/**
 * Calls of providers within a step.
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as EventId from "../../domain/EventId.ts"
import { errorInfo } from "../../domain/errors/index.ts"
import { holdsPassword, namesSecret } from "../../domain/secrets/Secret.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import { LeaseLost } from "../../spi/LeaseStore.ts"
import type { Mutation, Observation } from "../../spi/Provider.ts"
import { ProviderError } from "../../spi/ProviderError.ts"
import { checkAll } from "../lease/index.ts"
import { ExecutionContext } from "./ExecutionContext.ts"
import { renewing } from "./Renewal.ts"
import { callSpan } from "./Step.ts"
import { StepFailed } from "./StepFailed.ts"

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
    progress: (message, resource) =>
      journal.record(EventId.progress(name, resource ?? "", message), {
        _tag: "ProgressReported",
        stack: stack.name,
        message,
        ...(resource === undefined ? {} : { resource })
      })
  }
})

const patience = Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced("10 seconds")]).pipe(
  Schedule.setInputType<ProviderError>(),
  Schedule.jittered,
  // Whole milliseconds: times are stored as integers.
  Schedule.modifyDelay(({ duration, input: { reason } }) => {
    const atLeast = reason._tag === "Throttled" ? reason.retryAfterMs : 0
    return Effect.succeed(Duration.millis(Math.max(Math.ceil(Duration.toMillis(duration)), atLeast)))
  }),
  Schedule.upTo({ times: 8 })
)

const fenceAhead = ({ provider, stackName }: ProviderError, fence: number): Effect.Effect<never, StepFailed> =>
  Effect.fail(
    new StepFailed({
      why: "failed",
      info: errorInfo("store_replaced", { stack: stackName, provider, fence }, { remedies: [{ _tag: "orphans" }] })
    })
  )

/**
 * Calls a provider: retryable errors are retried with backoff, expired credentials are waited for, a lost lease stops
 * the run, anything else becomes the step's failure. `operation` names it if the step does something else.
 */
export const call = <A, R>(
  effect: Effect.Effect<A, ProviderError, R>,
  operation?: string
): Effect.Effect<A, StepFailed, R | ExecutionContext> =>
  effect.pipe(
    callSpan(operation),
    Effect.retry({ schedule: patience, while: (error) => error.isRetryable && error.reason._tag !== "Expired" }),
    renewing,
    Effect.catch((error) =>
      Effect.flatMap(ExecutionContext, ({ fenced, lock }) => {
        const fence = error.reason._tag === "Fenced" ? error.reason.fence : undefined
        return fence !== undefined
          ? Effect.matchEffect(lock.check, {
              // This store says that the lease is held: so another store issued the newer fence.
              onSuccess: () => fenceAhead(error, fence),
              onFailure: () =>
                Effect.andThen(
                  Deferred.fail(fenced, new LeaseLost({ key: lock.lease().key, fence: lock.lease().fence })),
                  Effect.never
                )
            })
          : Effect.fail(
              new StepFailed({
                why: error.reason._tag === "Busy" ? "blocked" : "failed",
                info: error.info
              })
            )
      })
    )
  )

/**
 * Calls a provider for an observation, and keeps what may be stored: outputs that look like secrets are dropped, since
 * outputs are stored and shown.
 */
export const observing = <R>(
  effect: Effect.Effect<Observation, ProviderError, R>,
  operation?: string
): Effect.Effect<Observation, StepFailed, R | ExecutionContext> =>
  Effect.map(call(effect, operation), (observed) => ({
    ...observed,
    outputs: Object.fromEntries(
      Object.entries(observed.outputs).filter(
        ([name, value]) => !namesSecret(name) && !(typeof value === "string" && holdsPassword(value))
      )
    )
  }))
