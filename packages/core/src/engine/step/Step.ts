/**
 * Steps: the journaled side effects of an execution.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import * as Activity from "effect/workflow/Activity"
import type { WorkflowEngine, WorkflowInstance } from "effect/workflow/WorkflowEngine"
import { errorInfo } from "../../domain/errors/index.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { StageName } from "../../domain/Machines.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import type { StackRef } from "../../spi/Provider.ts"
import { ProviderError } from "../../spi/ProviderError.ts"
import { annotate, Attribute, inside, paths, spanIdOf, SpanName, traced } from "../../telemetry/index.ts"
import { isPaused } from "./Control.ts"
import { StepInfo } from "../log/index.ts"
import { stackRefOf } from "../../config/StackRefs.ts"
import { outputs, ExecutionContext } from "./ExecutionContext.ts"
import { StepFailed } from "./StepFailed.ts"
import { waitedForCredentials } from "./CredentialRounds.ts"

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
    const { control, halted, journal, inProgress, waits } = yield* ExecutionContext
    const key = `${options.name}#1`
    waits.add(options, waitedForCredentials(journal, options.name))
    const forward = options.back !== true
    if (forward && journal.receipt(key) === undefined) {
      yield* Effect.raceFirst(
        control.waitFor((given) => (isPaused(given) ? undefined : true)),
        Effect.ignore(Deferred.await(halted))
      )
    }
    const id = journal.correlationId
    const work = Effect.suspend(() => {
      inProgress.add(options.name)
      return options.execute(journal.startedAt(key) ?? 0)
    }).pipe(
      Effect.ensuring(Effect.sync(() => inProgress.delete(options.name))),
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

/** The step that calls a provider. */
export const CurrentStep = Context.Reference<
  | {
      readonly name: string
      readonly operation: string
      readonly stage: StageName
      readonly stack: StackName
    }
  | undefined
>("@signalbox/core/engine/step/CurrentStep", { defaultValue: () => undefined })

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
  const { request } = (yield* ExecutionContext).journal
  const { missing, ref } = stackRefOf(request, request.spec, stack, yield* outputs(when))
  if (missing.length === 0) return ref
  return yield* new StepFailed({
    why: "failed",
    info: errorInfo("output_missing", { stack: stack.name, outputs: missing })
  })
})

/** How long a stack may take for a stage, in milliseconds: its plan may ask for more than its configuration. */
export const timeoutOf = ({ name, timeout }: StackSpec): Effect.Effect<number, never, ExecutionContext> =>
  Effect.map(ExecutionContext, ({ timeouts }) => Math.max(Duration.toMillis(timeout), timeouts.get(name) ?? 0))

/** How long a stack may still take for a stage, in milliseconds. */
export const timeLeft = (stack: StackSpec, stage: StageName): Effect.Effect<number, never, ExecutionContext> =>
  Effect.gen(function* () {
    const { journal, waits } = yield* ExecutionContext
    const stages = journal.state().stacks.find(({ name }) => name === stack.name)?.stages ?? []
    const now = yield* Clock.currentTimeMillis
    const startedAt = stages.find(({ name }) => name === stage)?.startedAt ?? now
    return (
      (yield* timeoutOf(stack)) -
      (now - startedAt) +
      journal.idle(startedAt) +
      waits.of({ stack: stack.name, stage }, now)
    )
  })

/**
 * Fails an effect that takes longer than its stack may for a stage. Time spent waiting for people or for credentials,
 * or without a runner, does not count.
 */
export const within = <A, R>(
  stack: StackSpec,
  stage: StageName,
  effect: Effect.Effect<A, StepFailed, R>
): Effect.Effect<A, StepFailed, R | ExecutionContext> =>
  Effect.gen(function* () {
    const over = Effect.gen(function* () {
      while (true) {
        const left = yield* timeLeft(stack, stage)
        if (left <= 0) break
        // While it waits, the time left stands still: it is looked at now and then.
        yield* Effect.sleep(Duration.millis(Math.max(left, 100)))
      }
      return yield* new StepFailed({
        why: "timeout",
        info: errorInfo("stage_timeout", { stack: stack.name, stage, afterMs: yield* timeoutOf(stack) })
      })
    })
    return yield* Effect.raceFirst(effect, over)
  })
