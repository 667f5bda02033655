/**
 * The state of one execution: a fold over the events of its stream.
 */
import * as Result from "effect/Result"
import type { Event, EventOf, StackBefore } from "./Event.ts"
import { type ExecutionState, stagesOf, type StackState, type StageState } from "./ExecutionState.ts"
import { type CauseInfo, causeInfo } from "./errors/index.ts"
import type { StackName, Timestamp } from "./Ids.ts"
import { IllegalTransition, move } from "./Illegal.ts"
import * as Machine from "./Machine.ts"
import {
  type ExecutionKind,
  executionMachine,
  stackMachine,
  stageMachine,
  type StageName,
  type StageTrigger
} from "./Machines.ts"
import type { ExecutionSpec } from "./Spec.ts"
import type { Verdict } from "./Verdict.ts"

export * from "./ExecutionState.ts"

const pending = (kind: ExecutionKind): ReadonlyArray<StageState> =>
  stagesOf(kind).map((name) => ({ name, status: stageMachine.initial }))

const stacksOf = (
  kind: ExecutionKind,
  { spec, stacksBefore }: { readonly spec: ExecutionSpec; readonly stacksBefore: ReadonlyArray<StackBefore> }
): ReadonlyArray<StackState> =>
  spec.stacks
    .filter(({ enabled }) => enabled)
    .map((stack) => {
      const before = stacksBefore.find(({ name }) => name === stack.name)
      return {
        name: stack.name,
        provider: stack.provider,
        strategy: stack.strategy.type,
        status: before?.status ?? stackMachine.initial,
        release: before?.release ?? null,
        candidate: null,
        candidateTraffic: 0,
        checkpoint: null,
        outputs: before?.outputs ?? {},
        ...(stack.irreversible === undefined ? {} : { irreversible: stack.irreversible }),
        stages: pending(kind)
      }
    })

const begin = (at: Timestamp, event: EventOf<"ExecutionRequested">): ExecutionState => ({
  correlationId: event.correlationId,
  deploymentId: event.deploymentId,
  environment: event.environment,
  kind: event.kind,
  status: executionMachine.initial,
  deploymentBefore: event.deploymentBefore,
  ...(event.version === undefined ? {} : { version: event.version }),
  ...(event.artifact === undefined ? {} : { artifact: event.artifact }),
  ...(event.artifacts === undefined ? {} : { artifacts: event.artifacts }),
  ...(event.strategy === undefined ? {} : { strategy: event.strategy }),
  ...(event.to === undefined ? {} : { to: event.to }),
  by: event.by,
  ...(event.reason === undefined ? {} : { reason: event.reason }),
  ...(event.cause === undefined ? {} : { cause: event.cause }),
  ...(event.supersedes === undefined ? {} : { supersedes: event.supersedes }),
  ...(event.queue === undefined ? {} : { queue: event.queue }),
  ...(event.origin === undefined ? {} : { origin: event.origin }),
  ...(event.override === undefined ? {} : { override: event.override }),
  ...(event.command === undefined ? {} : { command: event.command }),
  requestedAt: at,
  stages: pending(event.kind),
  stacks: stacksOf(event.kind, event),
  verdicts: [],
  questions: []
})

/** What is there may have changed while the request waited. */
const admit = (
  state: ExecutionState,
  at: Timestamp,
  event: EventOf<"ExecutionAdmitted">
): Result.Result<ExecutionState, IllegalTransition> =>
  state.status === "queued" && state.turnAt === undefined
    ? Result.succeed({
        ...state,
        deploymentBefore: event.deploymentBefore,
        ...(event.supersedes === undefined ? {} : { supersedes: event.supersedes }),
        turnAt: at,
        stacks: stacksOf(state.kind, event)
      })
    : Result.fail(
        new IllegalTransition({
          machine: "execution",
          subject: state.correlationId,
          from: state.turnAt === undefined ? state.status : "its turn",
          on: event._tag
        })
      )

const moveStage = (
  stages: ReadonlyArray<StageState>,
  subject: string,
  at: Timestamp,
  { cause, on, stage }: { readonly stage: StageName; readonly on: StageTrigger; readonly cause?: CauseInfo }
): Result.Result<ReadonlyArray<StageState>, IllegalTransition> => {
  const known = stages.some(({ name }) => name === stage)
  const before = stages.find(({ name }) => name === stage) ?? { name: stage, status: stageMachine.initial }
  return Result.map(move(stageMachine, subject, before.status, on), (status) => {
    const { waitingSince, ...others } = before
    const after: StageState = {
      ...others,
      status,
      ...(on === "waiting" ? { waitingSince: at } : {}),
      ...(waitingSince === undefined ? {} : { waitedMs: (before.waitedMs ?? 0) + Math.max(0, at - waitingSince) }),
      ...(on === "started" ? { startedAt: at } : {}),
      ...(Machine.isTerminal(stageMachine, status) ? { finishedAt: at } : {}),
      ...(cause === undefined ? {} : { cause })
    }
    return known ? stages.map((state) => (state.name === stage ? after : state)) : [...stages, after]
  })
}

const onStack = (
  state: ExecutionState,
  stack: StackName,
  change: (stack: StackState) => Result.Result<StackState, IllegalTransition>
): Result.Result<ExecutionState, IllegalTransition> => {
  const before = state.stacks.find(({ name }) => name === stack)
  if (before === undefined) {
    return Result.fail(new IllegalTransition({ machine: "stack", subject: stack, from: "absent", on: "changed" }))
  }
  return Result.map(change(before), (after) => ({
    ...state,
    stacks: state.stacks.map((other) => (other === before ? after : other))
  }))
}

const setStack = (state: ExecutionState, stack: StackName, change: Partial<StackState>) =>
  onStack(state, stack, (before) => Result.succeed({ ...before, ...change }))

const moveStack = (state: ExecutionState, event: EventOf<"StackTransitioned">) =>
  onStack(state, event.stack, (before) =>
    Result.map(move(stackMachine, event.stack, before.status, event.on), (status) => ({
      ...before,
      status,
      ...(event.release === undefined ? {} : { release: event.release }),
      ...(status === "deployed" || status === "not_deployed" || status === "destroyed"
        ? { candidate: null, candidateTraffic: 0 }
        : {}),
      ...(event.error === undefined ? {} : { error: event.error })
    }))
  )

const moveExecution = (state: ExecutionState, at: Timestamp, event: EventOf<"ExecutionTransitioned">) =>
  Result.map(move(executionMachine, state.correlationId, state.status, event.on), (status): ExecutionState => ({
    ...state,
    status,
    ...(event.on === "started" ? { startedAt: at } : {}),
    ...(Machine.isTerminal(executionMachine, status) ? { finishedAt: at, questions: [] } : {}),
    ...(event.on === "rollback_started" ? { questions: [] } : {}),
    ...(event.cause === undefined ? {} : { cause: event.cause }),
    ...(event.error === undefined ? {} : { error: event.error })
  }))

const same = (left: Verdict, right: Verdict) =>
  left.stack === right.stack && left.step === right.step && left.releaseId === right.releaseId

const progressOf = ({ cause, message }: EventOf<"ProgressReported">): Pick<StackState, "progress"> => {
  const progress = message ?? cause
  return progress === undefined ? {} : { progress }
}

const firstFailureOf = (
  { firstFailure }: StackState,
  { failed, message, resource, resourceType }: EventOf<"ProgressReported">
): Pick<StackState, "firstFailure"> =>
  failed === true && firstFailure === undefined
    ? { firstFailure: causeInfo("resource_failed", { resource, type: resourceType }, message) }
    : {}

/** Thousands of response times stay in the log: a state is written again with every event. */
const brief = (verdict: Verdict): Verdict => {
  if (verdict.compared?.latencies === undefined) return verdict
  const { latencies: _, ...compared } = verdict.compared
  return { ...verdict, compared }
}

/** What stands still while a question is open is the stage that waits for the answer, and no pause of the whole. */
const pausing = (state: ExecutionState, at: Timestamp): ExecutionState => {
  const { pauses = [], ...others } = state
  const last = pauses.at(-1)
  const open = last !== undefined && last.to === undefined
  const still =
    state.status === "paused" &&
    state.questions.length === 0 &&
    !state.stacks.some(({ stages }) => stages.some(({ status }) => status === "waiting"))
  if (still === open) return state
  if (!open) return { ...state, pauses: [...pauses, { from: at }] }
  const before = pauses.slice(0, -1)
  const known = at > last.from ? [...before, { from: last.from, to: at }] : before
  return known.length === 0 ? others : { ...others, pauses: known }
}

/**
 * Folds one event of the execution's stream into its state. The latest verdict of each step is kept; all of them are in
 * the log.
 *
 * *Errors*: `IllegalTransition` where the tables do not allow it, or where anything but `ExecutionRequested` comes first.
 */
export const evolve = (
  state: ExecutionState | undefined,
  at: Timestamp,
  event: Event
): Result.Result<ExecutionState, IllegalTransition> => Result.map(fold(state, at, event), (next) => pausing(next, at))

const fold = (
  state: ExecutionState | undefined,
  at: Timestamp,
  event: Event
): Result.Result<ExecutionState, IllegalTransition> => {
  if (state === undefined) {
    return event._tag === "ExecutionRequested"
      ? Result.succeed(begin(at, event))
      : Result.fail(new IllegalTransition({ machine: "execution", subject: "", from: "absent", on: event._tag }))
  }
  switch (event._tag) {
    case "DeploymentInitialized":
    case "DeploymentExtended":
    case "VersionVetoed":
    case "VetoLifted":
    case "EnvironmentLocked":
    case "EnvironmentUnlocked":
    case "LeaseRevoked":
    case "ExecutionRequested":
      return Result.fail(
        new IllegalTransition({
          machine: "execution",
          subject: state.correlationId,
          from: state.status,
          on: event._tag
        })
      )
    case "ExecutionTransitioned":
      return moveExecution(state, at, event)
    case "StageTransitioned":
      return event.stack === undefined
        ? Result.map(moveStage(state.stages, state.correlationId, at, event), (stages) => ({ ...state, stages }))
        : onStack(state, event.stack, (stack) =>
            Result.map(moveStage(stack.stages, stack.name, at, event), (stages) => ({ ...stack, stages }))
          )
    case "StackTransitioned":
      return moveStack(state, event)
    case "StackPlanned":
      return setStack(state, event.stack, { candidate: event.plan.candidate })
    case "CheckpointRecorded":
      return setStack(state, event.stack, { checkpoint: event.checkpoint })
    case "OutputsRecorded":
      return setStack(state, event.stack, {
        outputs: event.outputs,
        ...(event.endpoints === undefined ? {} : { endpoints: event.endpoints })
      })
    case "TrafficObserved":
      return setStack(state, event.stack, { candidateTraffic: event.candidate })
    case "ProgressReported":
      return onStack(state, event.stack, (before) =>
        Result.succeed({ ...before, ...progressOf(event), ...firstFailureOf(before, event) })
      )
    case "VerdictReached":
      return Result.succeed({
        ...state,
        verdicts: [...state.verdicts.filter((verdict) => !same(verdict, event.verdict)), brief(event.verdict)]
      })
    case "ApprovalRequested":
      return Result.succeed({
        ...state,
        questions: [
          ...state.questions.filter(({ stack }) => stack !== event.stack),
          {
            stack: event.stack,
            question: event.question,
            ...(event.expiresAt === undefined ? {} : { expiresAt: event.expiresAt }),
            ...(event.otherwise === undefined ? {} : { otherwise: event.otherwise })
          }
        ]
      })
    case "ApprovalResolved":
      return Result.succeed({
        ...state,
        questions: state.questions.filter(({ stack }) => stack !== event.stack)
      })
    case "ExecutionAdmitted":
      return admit(state, at, event)
    case "ProcessStarted":
      // What was only registered was asked for without its command.
      return Result.succeed(state.command === undefined ? { ...state, command: event.command } : state)
    case "ProcessExited":
      return Result.succeed({ ...state, exit: { code: event.code, signal: event.signal } })
    case "AlertRaised": {
      const { _tag, ...alert } = event
      return Result.succeed({ ...state, alerts: [...(state.alerts ?? []), { at, ...alert }] })
    }
    case "RunnerClaimed":
    case "LeaseAcquired":
    case "MonitorClaimed":
    case "DeploymentTransitioned":
    case "CommandIssued":
    case "StepStarted":
    case "StepFinished":
    case "HandleRecorded":
    case "DeferredDone":
    case "ClockSet":
    case "TraceExported":
    case "NotificationAcknowledged":
    case "Unknown":
      return Result.succeed(state)
  }
}
