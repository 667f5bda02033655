/**
 * Steps: the journaled side effects of an execution.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import * as EventId from "../../domain/EventId.ts"
import { errorInfo } from "../../domain/errors/index.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { StageName } from "../../domain/Machines.ts"
import { holdsPassword, namesSecret } from "../../domain/secrets/Secret.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import { LeaseLost } from "../../spi/LeaseStore.ts"
import type { Mutation, Observation, StackRef } from "../../spi/Provider.ts"
import { ProviderError } from "../../spi/ProviderError.ts"
import { annotate, Attribute, inside, paths, spanIdOf, SpanName, traced } from "../../telemetry/index.ts"
import { isPaused } from "./Control.ts"
import { StepInfo } from "../log/index.ts"
import { checkAll } from "../lease/index.ts"
import { fillIn } from "../../config/OutputSubstitution.ts"
import { outputs, ExecutionContext } from "./ExecutionContext.ts"
import { StepFailed } from "./StepFailed.ts"

/** The input of a step. */
export type StepServices = ExecutionContext | WorkflowEngine | WorkflowInstance

/**
 * Runs a side effect as a journaled step: intent before, receipt after; a step with a receipt returns it.
 *
 * *Details*: forward steps wait while the execution is paused and stop when it is halted; rollback steps (`back`) do
 * neither. `execute` gets the time of the intent, which stays the same when the step runs again after a crash.
 */
export const step = <A, I>(options: {
  readonly name: string
  readonly operation: string
  readonly stage: StageName
  readonly stack: StackName
  readonly back?: boolean
  readonly success: Schema.Codec<A, I>
  readonly execute: (startedAt: number) => Effect.Effect<A, StepFailed, ExecutionContext>
}): Effect.Effect<A, StepFailed, StepServices> =>
  Effect.gen(function* () {
    const { control, halted, journal } = yield* ExecutionContext
    const key = `${options.name}#1`
    const forward = options.back !== true
    if (forward && journal.receipt(key) === undefined) {
      yield* Effect.raceFirst(
        control.waitFor((given) => (isPaused(given) ? undefined : true)),
        Effect.ignore(Deferred.await(halted))
      )
    }
    const id = journal.correlationId
    const work = Effect.suspend(() => options.execute(journal.startedAt(key) ?? 0)).pipe(
      Effect.provideService(CurrentStep, options),
      inside(id, () => spanIdOf(id, paths.step(key)))
    )
    return yield* Activity.make({
      name: options.name,
      success: options.success,
      error: StepFailed,
      annotations: Context.make(StepInfo, {
        operation: options.operation,
        stage: options.stage,
        stack: options.stack
      }),
      execute: forward ? Effect.raceFirst(Deferred.await(halted), work) : work
    })
  })

/** What distinguishes provider calls. */
const CurrentStep = Context.Reference<{ readonly operation: string; readonly stack: string } | undefined>(
  "@signalbox/core/engine/execution/CurrentStep",
  { defaultValue: () => undefined }
)

/** A live span around one provider call, below the span of its step. */
export const callSpan =
  (operation?: string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | ExecutionContext> =>
    Effect.flatMap(ExecutionContext, ({ journal }) =>
      Effect.flatMap(CurrentStep, (step) =>
        traced(journal.correlationId, () => ({
          name: SpanName.provider(operation ?? step?.operation ?? "call"),
          kind: "client",
          attributes: {
            [Attribute.operation]: operation ?? step?.operation ?? "call",
            ...(step === undefined ? {} : { [Attribute.stack]: step.stack })
          }
        }))(
          Effect.tapError(effect, (error) =>
            error instanceof ProviderError
              ? annotate(() => ({
                  [Attribute.errorType]: error.reason._tag,
                  [Attribute.retryable]: error.isRetryable
                }))
              : Effect.void
          )
        )
      )
    )

/**
 * The reference of a stack for its provider, with its properties resolved from the outputs of its dependencies.
 *
 * *Errors*: `failed` if an output is missing.
 */
export const refOf = Effect.fnUntraced(function* (
  stack: StackSpec,
  when: "before" | "now" = "now"
): Effect.fn.Return<StackRef, StepFailed, ExecutionContext> {
  const { journal } = yield* ExecutionContext
  const { request } = journal
  const filled = fillIn(stack.properties, yield* outputs(when))
  if (filled.missing.length > 0) {
    return yield* new StepFailed({
      why: "failed",
      info: errorInfo("output_missing", { stack: stack.name, outputs: filled.missing })
    })
  }
  return {
    deploymentId: request.deploymentId,
    environment: request.environment,
    stack: stack.name,
    properties: filled.value,
    ...(request.spec.region === undefined ? {} : { region: request.spec.region }),
    ...(request.spec.account === undefined ? {} : { account: request.spec.account })
  }
})

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
  Schedule.jittered,
  // Whole milliseconds: times are stored as integers.
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.millis(Math.ceil(Duration.toMillis(duration))))),
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
 * Calls a provider: retryable errors are retried with backoff, a lost lease stops the run, anything else becomes the
 * step's failure. `operation` names it if the step does something else.
 */
export const call = <A, R>(
  effect: Effect.Effect<A, ProviderError, R>,
  operation?: string
): Effect.Effect<A, StepFailed, R | ExecutionContext> =>
  effect.pipe(
    callSpan(operation),
    Effect.tapError((error) =>
      error.reason._tag === "Throttled" ? Effect.sleep(Duration.millis(error.reason.retryAfterMs)) : Effect.void
    ),
    Effect.retry({ schedule: patience, while: (error) => error.isRetryable }),
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

/**
 * Fails an effect that takes longer than its stack may for a stage. Time spent waiting for people, or without a runner,
 * does not count.
 */
export const within = <A, R>(
  stack: StackSpec,
  stage: StageName,
  effect: Effect.Effect<A, StepFailed, R>
): Effect.Effect<A, StepFailed, R | ExecutionContext> =>
  Effect.gen(function* () {
    const { journal, waited } = yield* ExecutionContext
    const stages = journal.state().stacks.find(({ name }) => name === stack.name)?.stages ?? []
    const now = yield* Clock.currentTimeMillis
    const startedAt = stages.find(({ name }) => name === stage)?.startedAt ?? now
    const left =
      Duration.toMillis(stack.timeout) - (now - startedAt) + journal.idle(startedAt) + (waited.get(stack.name) ?? 0)
    return yield* Effect.timeoutOrElse(effect, {
      duration: Duration.millis(Math.max(0, left)),
      orElse: () =>
        Effect.fail(
          new StepFailed({
            why: "timeout",
            info: errorInfo("stage_timeout", {
              stack: stack.name,
              stage,
              afterMs: Duration.toMillis(stack.timeout)
            })
          })
        )
    })
  })
