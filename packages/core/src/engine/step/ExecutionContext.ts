/**
 * One run of one execution: the context of its steps, and the events that they record.
 */
import * as Context from "effect/Context"
import type * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import type { StackName } from "../../domain/Ids.ts"
import type {
  DeploymentTrigger,
  ExecutionTrigger,
  StackTrigger,
  StageName,
  StageTrigger
} from "../../domain/Machines.ts"
import { type CauseInfo, causeInfo, type ErrorInfo } from "../../domain/errors/index.ts"
import type { Outputs, Release } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import type { LeaseLost } from "../../spi/LeaseStore.ts"
import type { Provider } from "../../spi/Provider.ts"
import { type Control, isPaused } from "./Control.ts"
import type { Journal } from "../log/index.ts"
import type { KeptLease } from "../lease/index.ts"
import type { StepFailed } from "./StepFailed.ts"
import type { Waits } from "./Waits.ts"

export class ExecutionContext extends Context.Service<
  ExecutionContext,
  {
    readonly journal: Journal
    readonly control: Control
    /** The right to run this execution. */
    readonly claim: KeptLease
    readonly lock: KeptLease
    readonly providers: ReadonlyMap<string, Provider>
    /** The fences, by kind, of providers that know a newer one than this runner's. */
    readonly ahead: ReadonlyMap<string, number>
    /** Fails once forward work must stop: an operator aborted, or another stack failed. */
    readonly halted: Deferred.Deferred<never, StepFailed>
    /** Fails once a provider or the store reports that the lease is gone. */
    readonly fenced: Deferred.Deferred<never, LeaseLost>
    readonly waits: Waits
    /** What the plans of stacks propose as the timeout of a stage, in milliseconds. */
    readonly timeouts: Map<StackName, number>
    /** The names of the steps in progress, and of the steps that wait for credentials. */
    readonly inProgress: Set<string>
    readonly stuck: Set<string>
    /** Done once this run ends without the end of the execution: only a person can help, and another process. */
    readonly left: Deferred.Deferred<void>
  }
>()("@signalbox/core/engine/step/ExecutionContext") {}

/** The stacks of this execution. */
export const stacks = Effect.map(ExecutionContext, ({ journal }) =>
  journal.request.spec.stacks.filter(({ enabled }) => enabled)
)

/**
 * The outputs of all stacks: as at the request, or as now.
 */
export const outputs = (when: "before" | "now"): Effect.Effect<ReadonlyMap<string, Outputs>, never, ExecutionContext> =>
  Effect.map(ExecutionContext, ({ journal }) => {
    const states = when === "now" ? journal.state().stacks : []
    return new Map([...journal.request.stacksBefore, ...states].map((stack) => [stack.name, stack.outputs]))
  })

export const providerOf = (stack: StackSpec): Effect.Effect<Provider, never, ExecutionContext> =>
  Effect.flatMap(ExecutionContext, ({ providers }) => {
    const provider = providers.get(stack.provider)
    // The request was validated against the installed providers; a runner without one of them is misconfigured.
    return provider === undefined
      ? Effect.die(new Error(`provider ${stack.provider} is not installed in this runner`))
      : Effect.succeed(provider)
  })

const because = (cause: CauseInfo | undefined) => (cause === undefined ? {} : { cause })

export const transitionExecution = (
  on: ExecutionTrigger,
  options: { readonly cause?: CauseInfo; readonly by?: string; readonly error?: ErrorInfo } = {}
): Effect.Effect<void, never, ExecutionContext> =>
  Effect.flatMap(ExecutionContext, ({ journal }) =>
    journal.record(EventId.execution(on), { _tag: "ExecutionTransitioned", on, ...options })
  )

/**
 * Changes the deployment's status, if this kind of execution may: `deploy-stack` and `destroy-stack` never do.
 */
export const transitionDeployment = (
  on: DeploymentTrigger,
  cause?: CauseInfo
): Effect.Effect<void, never, ExecutionContext> =>
  Effect.flatMap(ExecutionContext, ({ journal }) =>
    journal.request.kind.endsWith("-stack")
      ? Effect.void
      : journal.record(EventId.deployment(on), { _tag: "DeploymentTransitioned", on, ...because(cause) })
  )

/**
 * Changes the status of a stage of the execution, or of one stack. `round` distinguishes repeats of waiting and
 * resuming.
 */
export const transitionStage = (
  stage: StageName,
  on: StageTrigger,
  options: { readonly stack?: StackName; readonly cause?: CauseInfo; readonly round?: string } = {}
): Effect.Effect<void, never, ExecutionContext> =>
  Effect.flatMap(ExecutionContext, ({ journal }) =>
    journal.record(EventId.stage(stage, on, options.stack, options.round), {
      _tag: "StageTransitioned",
      stage,
      on,
      ...(options.stack === undefined ? {} : { stack: options.stack }),
      ...because(options.cause)
    })
  )

export const transitionStack = (
  stack: StackName,
  on: StackTrigger,
  options: {
    readonly release?: Release | null
    readonly spec?: StackSpec
    readonly error?: ErrorInfo
  } = {}
): Effect.Effect<void, never, ExecutionContext> =>
  Effect.flatMap(ExecutionContext, ({ journal }) =>
    journal.record(EventId.stack(stack, on), { _tag: "StackTransitioned", stack, on, ...options })
  )

/**
 * Ends the unfinished stages of the execution and of its stacks: a running stage becomes `on`, one that never started
 * is skipped.
 */
export const endStages = (
  on: "failed" | "cancelled",
  options: { readonly cause: CauseInfo; readonly except?: StageName }
): Effect.Effect<void, never, ExecutionContext> =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    const state = journal.state()
    for (const { stages, stack } of [
      { stages: state.stages, stack: undefined },
      ...state.stacks.map(({ name, stages }) => ({ stages, stack: name }))
    ]) {
      for (const { name, status } of stages) {
        if (name === options.except) continue
        const of = stack === undefined ? {} : { stack }
        if (status === "pending") yield* transitionStage(name, "skipped", { ...of, cause: options.cause })
        if (status === "running" || status === "waiting")
          yield* transitionStage(name, on, { ...of, cause: options.cause })
      }
    }
  })

/**
 * Aligns the execution's status with what it waits for: `paused` while an operator paused it or a question is open,
 * `in_progress` otherwise.
 */
export const syncPaused: Effect.Effect<void, never, ExecutionContext> = Effect.gen(function* () {
  const { control, journal } = yield* ExecutionContext
  const given = yield* control.given
  const pause = given.findLast(({ command }) => command === "pause")
  yield* journal.record(EventId.pausedOrResumed(journal.size()), ({ questions: [question], status }) => {
    const waits = isPaused(given) || question !== undefined
    if (waits && status === "in_progress") {
      return {
        _tag: "ExecutionTransitioned",
        on: "paused",
        cause: question?.question ?? causeInfo("paused_by", { by: pause?.by }, pause?.reason),
        ...(question === undefined && pause !== undefined ? { by: pause.by } : {})
      }
    }
    return !waits && status === "paused" ? { _tag: "ExecutionTransitioned", on: "resumed" } : undefined
  })
})
