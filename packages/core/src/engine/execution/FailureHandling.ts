/**
 * How executions end unsuccessfully: halting work in progress, and rolling back to the checkpoints.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import { type CauseInfo, causeInfo, causeOf, type ErrorInfo, errorInfo } from "../../domain/errors/index.ts"
import * as Graph from "../../domain/Graph.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { Journal } from "../log/index.ts"
import type { DeploymentStatus, DeploymentTrigger } from "../../domain/Machines.ts"
import type { Checkpoint } from "../../domain/Release.ts"
import type { StackSpec } from "../../domain/Spec.ts"
import { Observation } from "../../spi/Provider.ts"
import { requireWayBack } from "./WayBackCheck.ts"
import * as GraphTraversal from "./GraphTraversal.ts"
import {
  endStages,
  ExecutionContext,
  mutationOf,
  observing,
  providerOf,
  refOf,
  stacks,
  step,
  StepFailed,
  type StepServices,
  transitionDeployment,
  transitionExecution,
  transitionStack,
  transitionStage
} from "../step/index.ts"

/**
 * Stops all forward work because of a failure: other stacks fail as `halted`.
 */
export const halt = (failure: StepFailed): Effect.Effect<void, never, ExecutionContext> =>
  Effect.flatMap(ExecutionContext, ({ halted }) =>
    Deferred.fail(halted, failure.why === "aborted" ? failure : new StepFailed({ ...failure, why: "halted" }))
  )

/**
 * The status of the deployment after an execution that changed nothing in the end: the previous one, or `failed` if no
 * good release was ever deployed.
 */
export const keptAfterRollback = (was: DeploymentStatus): DeploymentTrigger => {
  switch (was) {
    case "deployed":
    case "partial":
    case "destroyed":
    case "unknown":
      return `kept_${was}`
    default:
      return "kept_failed"
  }
}

/**
 * The status of the deployment after an execution that never began to change it.
 */
export const keptUntouched = (was: DeploymentStatus): DeploymentTrigger =>
  was === "deploying" || was === "destroying" ? "kept_failed" : `kept_${was}`

/** Records the failure of one stack, if the others continue. */
export const stackFailed = (stack: StackSpec, failure: StepFailed): Effect.Effect<void, never, ExecutionContext> =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    const state = journal.state().stacks.find(({ name }) => name === stack.name)
    for (const { name, status } of state?.stages ?? []) {
      // A runner that resumes in the middle of a rollback meets the failure again.
      if (name !== "rollback" && (status === "running" || status === "waiting")) {
        yield* transitionStage(name, "failed", { stack: stack.name, cause: failure.because })
      }
    }
    if (state?.status === "deploying") yield* transitionStack(stack.name, "deploy_failed", { error: failure.info })
  })

/**
 * Ends an execution that failed, or was aborted, before anything was changed.
 */
export const endWithNothingChanged = (failure: StepFailed): Effect.Effect<void, never, ExecutionContext> =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    const aborted = failure.why === "aborted"
    yield* endStages(aborted ? "cancelled" : "failed", { cause: failure.because })
    yield* transitionDeployment(keptUntouched(journal.request.deploymentBefore), failure.because)
    yield* transitionExecution(aborted ? "cancelled" : "failed", { error: failure.info })
  })

/**
 * Rolls back: every stack that this execution began to change returns to its checkpoint, dependents first. Irreversible
 * stacks stay where they are, and that is reported.
 */
export const rollbackAfterFailure = (failure: StepFailed): Effect.Effect<void, never, StepServices> =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    const all = yield* stacks
    const touched = all.filter(({ name }) => journal.has(EventId.stack(name, "deploy_started")))
    if (touched.length === 0) return yield* endWithNothingChanged(failure)

    yield* transitionExecution("rollback_started", { error: failure.info })
    yield* endStages(failure.why === "aborted" ? "cancelled" : "failed", {
      cause: failure.because,
      except: "rollback"
    })
    yield* transitionStage("rollback", "started", { cause: failure.because })
    const { broken, kept } = yield* rollbackStacks(touched, (stack) => putBack(stack, failure))
    if (kept !== undefined) {
      const info = keptInLockstep(kept, journal)
      const cause = causeOf(info)
      yield* transitionStage("rollback", "failed", { cause })
      yield* transitionDeployment("deploy_failed", cause)
      return yield* transitionExecution("failed", { error: info })
    }
    if (broken === undefined) {
      yield* transitionStage("rollback", "succeeded")
      yield* transitionDeployment(keptAfterRollback(journal.request.deploymentBefore), failure.because)
      return yield* transitionExecution("rolled_back", { error: failure.info })
    }
    yield* transitionStage("rollback", "failed", { cause: broken.because })
    yield* transitionDeployment("deploy_failed", broken.because)
    yield* transitionExecution("failed", {
      error: errorInfo(
        "rollback_failed",
        { cause: broken.because },
        broken.info.remedies === undefined ? {} : { remedies: broken.info.remedies }
      )
    })
  })

/** The stacks that were not put back because `dependent`, which is in lockstep with them, could not be. */
export interface KeptInLockstep {
  readonly dependent: StackName
  readonly stacks: ReadonlyArray<StackName>
  /** Why the dependent could not be put back. */
  readonly cause: CauseInfo
}

/** How a rollback of several stacks ended: its first failure, and what stays for a dependent's sake. */
export interface RolledBack {
  readonly broken: StepFailed | undefined
  readonly kept: KeptInLockstep | undefined
}

/**
 * Rolls stacks back, dependents first, each even if a dependent failed, unless the two are in lockstep. `work` returns
 * why a stack stays as it is, if it does.
 */
export const rollbackStacks = (
  all: ReadonlyArray<StackSpec>,
  work: (stack: StackSpec) => Effect.Effect<CauseInfo | undefined, StepFailed, StepServices>
): Effect.Effect<RolledBack, never, StepServices> =>
  Effect.gen(function* () {
    const { journal } = yield* ExecutionContext
    const stay = new Map<StackName, CauseInfo>()
    const kept: Array<{ readonly stack: StackName; readonly dependent: StackName }> = []
    const putBackOrKeep = Effect.fnUntraced(function* (stack: StackSpec) {
      const dependent = all.find(({ lockstep = [], name }) => stay.has(name) && lockstep.includes(stack.name))?.name
      if (dependent === undefined) return yield* work(stack)
      kept.push({ stack: stack.name, dependent })
      return yield* keep(stack, dependent)
    })
    const outcomes = yield* GraphTraversal.traverse({
      nodes: Graph.reverse(all),
      parallelism: journal.request.spec.parallelism,
      regardless: true,
      work: ({ name }) =>
        putBackOrKeep(all.find((stack) => stack.name === name)!).pipe(
          Effect.tap((why) => Effect.sync(() => why !== undefined && stay.set(name, why))),
          Effect.tapError(({ because }) => Effect.sync(() => stay.set(name, because)))
        )
    })
    const [first] = kept
    return {
      broken: [...outcomes.values()].flatMap((end) => (end._tag === "Failed" ? [end.error] : []))[0],
      kept:
        first === undefined
          ? undefined
          : { dependent: first.dependent, stacks: kept.map(({ stack }) => stack), cause: stay.get(first.dependent)! }
    }
  })

/** Leaves a stack as it is, for the sake of one that could not be put back. */
const keep = Effect.fnUntraced(function* (
  stack: StackSpec,
  dependent: StackName
): Effect.fn.Return<CauseInfo, never, ExecutionContext> {
  const cause = causeInfo("in_lockstep", { stack: dependent })
  yield* transitionStage("rollback", "skipped", { stack: stack.name, cause })
  return cause
})

/** What a person must decide. */
export const keptInLockstep = (kept: KeptInLockstep, { correlationId, request }: Journal): ErrorInfo =>
  errorInfo(
    "kept_in_lockstep",
    { dependent: kept.dependent, stacks: kept.stacks, cause: kept.cause },
    {
      remedies: [
        { _tag: "status", execution: correlationId },
        { _tag: "history", deployment: request.deploymentId, environment: request.environment }
      ]
    }
  )

const putBack = Effect.fnUntraced(function* (
  stack: StackSpec,
  failure: StepFailed
): Effect.fn.Return<CauseInfo | undefined, StepFailed, StepServices> {
  const { journal } = yield* ExecutionContext
  const state = journal.state().stacks.find(({ name }) => name === stack.name)
  if (stack.irreversible !== undefined) {
    if (!journal.has(EventId.stack(stack.name, "deploy_completed"))) {
      yield* transitionStack(stack.name, "deploy_failed", { error: failure.info })
    }
    const cause = causeInfo("irreversible", {}, stack.irreversible)
    yield* transitionStage("rollback", "skipped", { stack: stack.name, cause })
    return cause
  }
  yield* rollbackStack(stack, state?.checkpoint ?? { release: null, takenAt: 0, data: null })
  return undefined
})

/**
 * Rolls one stack back to a checkpoint.
 */
export const rollbackStack = Effect.fnUntraced(function* (
  stack: StackSpec,
  checkpoint: Checkpoint
): Effect.fn.Return<void, StepFailed, StepServices> {
  const { journal } = yield* ExecutionContext
  const provider = yield* providerOf(stack)
  const name = `rollback/${stack.name}`
  yield* transitionStack(stack.name, "rollback_started")
  yield* transitionStage("rollback", "started", { stack: stack.name })
  const observed = yield* step({
    name,
    operation: "rollback",
    stage: "rollback",
    stack: stack.name,
    back: true,
    success: Observation,
    execute: () =>
      Effect.gen(function* () {
        const ref = yield* refOf(stack)
        // As long as no traffic has moved, the old release is still live, and only the candidate is removed.
        const state = journal.state().stacks.find((one) => one.name === stack.name)
        const deployed = state?.stages.some((one) => one.name === "deployment" && one.status === "succeeded") === true
        const moved = deployed || (state?.candidateTraffic ?? 0) > 0 || provider.traffic === undefined
        if (moved || journal.request.kind === "rollback") yield* requireWayBack(stack, ref, checkpoint)
        return yield* observing(provider.rollback(ref, checkpoint, yield* mutationOf(stack, name)))
      })
  }).pipe(
    Effect.tapError((failure) =>
      Effect.andThen(
        transitionStage("rollback", "failed", { stack: stack.name, cause: failure.because }),
        transitionStack(stack.name, "rollback_failed", { error: failure.info })
      )
    )
  )
  yield* journal.record(EventId.traffic(stack.name, "back"), {
    _tag: "TrafficObserved",
    stack: stack.name,
    shares: observed.traffic,
    candidate: 0
  })
  yield* transitionStage("rollback", "succeeded", { stack: stack.name })
  yield* transitionStack(stack.name, checkpoint.release === null ? "rolled_back_to_nothing" : "rolled_back", {
    release: checkpoint.release
  })
})
