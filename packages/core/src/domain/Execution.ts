/**
 * The state of one execution: a fold over the events of its stream.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { Actor, AnnouncementKind, type Event, type EventOf, Origin, QueuePolicy, type StackBefore } from "./Event.ts"
import { CorrelationId, DeploymentId, EnvironmentName, Percent, StackName, Timestamp } from "./Ids.ts"
import { IllegalTransition, move } from "./Illegal.ts"
import * as Machine from "./Machine.ts"
import {
  DeploymentStatus,
  ExecutionKind,
  executionMachine,
  ExecutionStatus,
  stackMachine,
  StackStatus,
  stageMachine,
  StageName,
  StageStatus,
  type StageTrigger
} from "./Machines.ts"
import { Checkpoint, ErrorInfo, Outputs, Release } from "./Release.ts"
import { type ExecutionSpec, StrategyName } from "./Spec.ts"
import { Verdict } from "./Verdict.ts"

/**
 * One stage, of an execution or of a stack in it.
 *
 * *Details*: `waitedMs` is how long it has waited for people so far, without the wait that began at `waitingSince`.
 *
 * @since 0.1.0
 */
export const StageState = Schema.Struct({
  name: StageName,
  status: StageStatus,
  startedAt: Schema.optionalKey(Timestamp),
  finishedAt: Schema.optionalKey(Timestamp),
  waitingSince: Schema.optionalKey(Timestamp),
  waitedMs: Schema.optionalKey(Schema.Int),
  reason: Schema.optionalKey(Schema.String)
})
/** @since 0.1.0 */
export type StageState = typeof StageState.Type

/**
 * One stack within an execution.
 *
 * *Details*: `release` is what it runs, `candidate` what is being brought in with `candidateTraffic` percent observed on it.
 *
 * @since 0.1.0
 */
export const StackState = Schema.Struct({
  name: StackName,
  provider: Schema.String,
  strategy: Schema.optionalKey(StrategyName),
  status: StackStatus,
  release: Schema.NullOr(Release),
  candidate: Schema.NullOr(Release),
  candidateTraffic: Percent,
  checkpoint: Schema.NullOr(Checkpoint),
  outputs: Outputs,
  irreversible: Schema.optionalKey(Schema.String),
  progress: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(ErrorInfo),
  stages: Schema.Array(StageState)
})
/** @since 0.1.0 */
export type StackState = typeof StackState.Type

/** A question that waits for a person, with the answer that is assumed after `expiresAt`. @since 0.1.0 */
export const Question = Schema.Struct({
  stack: StackName,
  question: Schema.String,
  expiresAt: Timestamp,
  otherwise: Schema.Literals(["abort", "continue"])
})
/** @since 0.1.0 */
export type Question = typeof Question.Type

/** What a monitor told people about an execution. @since 0.1.0 */
export const Announcement = Schema.Struct({
  at: Timestamp,
  what: AnnouncementKind,
  message: Schema.String,
  stack: Schema.optionalKey(StackName)
})
/** @since 0.1.0 */
export type Announcement = typeof Announcement.Type

/** How a wrapped command ended: by itself with a code, or by a signal. @since 0.1.0 */
export const ProcessExit = Schema.Struct({ code: Schema.NullOr(Schema.Int), signal: Schema.NullOr(Schema.String) })
/** @since 0.1.0 */
export type ProcessExit = typeof ProcessExit.Type

/** From when to when it stood still; `to` is absent while it does. @since 0.1.0 */
export const Pause = Schema.Struct({ from: Timestamp, to: Schema.optionalKey(Timestamp) })
/** @since 0.1.0 */
export type Pause = typeof Pause.Type

/**
 * The state of one execution. Times are in milliseconds since the epoch.
 *
 * *Details*: `turnAt` is when it came to its turn, where it had to wait in a queue. `command` and `exit` are those of a
 * wrapped command. `pauses` are those of an operator, and of a process that was stopped; questions are told by the stages that
 * wait for an answer.
 *
 * @since 0.1.0
 */
export const ExecutionState = Schema.Struct({
  correlationId: CorrelationId,
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  kind: ExecutionKind,
  status: ExecutionStatus,
  deploymentWas: DeploymentStatus,
  version: Schema.optionalKey(Schema.String),
  artifact: Schema.optionalKey(Schema.String),
  strategy: Schema.optionalKey(Schema.String),
  by: Actor,
  reason: Schema.optionalKey(Schema.String),
  supersedes: Schema.optionalKey(CorrelationId),
  queue: Schema.optionalKey(QueuePolicy),
  origin: Schema.optionalKey(Origin),
  override: Schema.optionalKey(Schema.String),
  command: Schema.optionalKey(Schema.String),
  exit: Schema.optionalKey(ProcessExit),
  requestedAt: Timestamp,
  turnAt: Schema.optionalKey(Timestamp),
  startedAt: Schema.optionalKey(Timestamp),
  finishedAt: Schema.optionalKey(Timestamp),
  pauses: Schema.optionalKey(Schema.Array(Pause)),
  stages: Schema.Array(StageState),
  stacks: Schema.Array(StackState),
  verdicts: Schema.Array(Verdict),
  questions: Schema.Array(Question),
  announcements: Schema.optionalKey(Schema.Array(Announcement)),
  error: Schema.optionalKey(ErrorInfo)
})
/** @since 0.1.0 */
export type ExecutionState = typeof ExecutionState.Type

/**
 * Whether the execution has come to one of its four ends.
 *
 * @since 0.1.0
 */
export const isFinished = (state: ExecutionState): boolean => Machine.isTerminal(executionMachine, state.status)

/**
 * Whether the execution waits in the queue, and its turn has not come: what was taken in without waiting has its turn.
 *
 * @since 0.1.0
 */
export const isQueued = ({ queue, status, turnAt }: ExecutionState): boolean =>
  status === "queued" && queue !== undefined && turnAt === undefined

/**
 * Whether it waits for people: one of them paused it, or a question is open.
 *
 * @since 0.1.0
 */
export const waitsForPeople = ({ questions, status }: Pick<ExecutionState, "questions" | "status">): boolean =>
  status === "paused" || questions.length > 0

/**
 * Whether a command of it may be alive, though whoever ran it may be gone: it began, and nobody saw its end.
 *
 * @since 0.1.0
 */
export const mayHaveCommand = ({ exit, kind, startedAt }: ExecutionState): boolean =>
  kind === "run" && startedAt !== undefined && exit === undefined

/**
 * Whether an execution that waits for a person gives way to one that waits for its turn: to a rollback always, since going
 * back is what both do then; to others as long as no traffic and no stack has gone over to what it brings in.
 *
 * @since 0.1.0
 */
export const givesWay = (state: ExecutionState, to: ExecutionKind): boolean =>
  (state.kind === "deploy" || state.kind === "deploy-stack") &&
  state.status === "paused" &&
  (to === "rollback" ||
    state.stacks.every(
      ({ candidateTraffic, stages }) =>
        candidateTraffic === 0 && !stages.some(({ name, status }) => name === "deployment" && status === "succeeded")
    ))

/**
 * The stages that an execution of this kind passes when nothing goes wrong.
 *
 * @since 0.1.0
 */
export const stagesOf = (kind: ExecutionKind): ReadonlyArray<StageName> => {
  switch (kind) {
    case "destroy":
    case "destroy-stack":
      return ["initialization", "health_check", "destruction"]
    case "rollback":
      return ["initialization", "health_check", "rollback", "validation"]
    case "run":
    case "observe":
      return ["deployment"]
    default:
      return ["initialization", "health_check", "deployment", "validation"]
  }
}

const pending = (kind: ExecutionKind): ReadonlyArray<StageState> =>
  stagesOf(kind).map((name) => ({ name, status: stageMachine.initial }))

const stacksOf = (
  kind: ExecutionKind,
  { spec, stacksWere }: { readonly spec: ExecutionSpec; readonly stacksWere: ReadonlyArray<StackBefore> }
): ReadonlyArray<StackState> =>
  spec.stacks
    .filter(({ enabled }) => enabled)
    .map((stack) => {
      const before = stacksWere.find(({ name }) => name === stack.name)
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
  deploymentWas: event.deploymentWas,
  ...(event.version === undefined ? {} : { version: event.version }),
  ...(event.artifact === undefined ? {} : { artifact: event.artifact }),
  ...(event.strategy === undefined ? {} : { strategy: event.strategy }),
  by: event.by,
  ...(event.reason === undefined ? {} : { reason: event.reason }),
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
const takeTurn = (
  state: ExecutionState,
  at: Timestamp,
  event: EventOf<"TurnTaken">
): Result.Result<ExecutionState, IllegalTransition> =>
  state.status === "queued" && state.turnAt === undefined
    ? Result.succeed({
        ...state,
        deploymentWas: event.deploymentWas,
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
  { on, reason, stage }: { readonly stage: StageName; readonly on: StageTrigger; readonly reason?: string }
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
      ...(reason === undefined ? {} : { reason })
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

const moveStack = (state: ExecutionState, event: EventOf<"StackMoved">) =>
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

const moveExecution = (state: ExecutionState, at: Timestamp, event: EventOf<"ExecutionMoved">) =>
  Result.map(move(executionMachine, state.correlationId, state.status, event.on), (status): ExecutionState => ({
    ...state,
    status,
    ...(event.on === "started" ? { startedAt: at } : {}),
    ...(Machine.isTerminal(executionMachine, status) ? { finishedAt: at, questions: [] } : {}),
    ...(event.on === "rollback_started" ? { questions: [] } : {}),
    ...(event.reason === undefined ? {} : { reason: event.reason }),
    ...(event.error === undefined ? {} : { error: event.error })
  }))

const same = (left: Verdict, right: Verdict) =>
  left.stack === right.stack && left.step === right.step && left.releaseId === right.releaseId

/** Thousands of response times stay in the log: a state is written anew with every event. */
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
 *
 * @since 0.1.0
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
    case "DeploymentWidened":
    case "VersionVetoed":
    case "VetoLifted":
    case "LockHeld":
    case "LockReleased":
    case "LockBroken":
    case "ExecutionRequested":
      return Result.fail(
        new IllegalTransition({
          machine: "execution",
          subject: state.correlationId,
          from: state.status,
          on: event._tag
        })
      )
    case "ExecutionMoved":
      return moveExecution(state, at, event)
    case "StageMoved":
      return event.stack === undefined
        ? Result.map(moveStage(state.stages, state.correlationId, at, event), (stages) => ({ ...state, stages }))
        : onStack(state, event.stack, (stack) =>
            Result.map(moveStage(stack.stages, stack.name, at, event), (stages) => ({ ...stack, stages }))
          )
    case "StackMoved":
      return moveStack(state, event)
    case "StackPlanned":
      return setStack(state, event.stack, { candidate: event.plan.candidate })
    case "CheckpointKept":
      return setStack(state, event.stack, { checkpoint: event.checkpoint })
    case "OutputsKept":
      return setStack(state, event.stack, { outputs: event.outputs })
    case "TrafficObserved":
      return setStack(state, event.stack, { candidateTraffic: event.candidate })
    case "ProgressSeen":
      return setStack(state, event.stack, { progress: event.message })
    case "VerdictReached":
      return Result.succeed({
        ...state,
        verdicts: [...state.verdicts.filter((verdict) => !same(verdict, event.verdict)), brief(event.verdict)]
      })
    case "ApprovalAsked":
      return Result.succeed({
        ...state,
        questions: [
          ...state.questions.filter(({ stack }) => stack !== event.stack),
          {
            stack: event.stack,
            question: event.question,
            expiresAt: event.expiresAt,
            otherwise: event.otherwise
          }
        ]
      })
    case "ApprovalAnswered":
      return Result.succeed({
        ...state,
        questions: state.questions.filter(({ stack }) => stack !== event.stack)
      })
    case "TurnTaken":
      return takeTurn(state, at, event)
    case "ProcessStarted":
      // What was only registered was asked for without its command.
      return Result.succeed(state.command === undefined ? { ...state, command: event.command } : state)
    case "ProcessExited":
      return Result.succeed({ ...state, exit: { code: event.code, signal: event.signal } })
    case "Announced": {
      const { _tag, ...announced } = event
      return Result.succeed({ ...state, announcements: [...(state.announcements ?? []), { at, ...announced }] })
    }
    case "RunnerTook":
    case "LeaseTaken":
    case "MonitorTook":
    case "DeploymentMoved":
    case "CommandGiven":
    case "StepStarted":
    case "StepFinished":
    case "DeferredDone":
    case "ClockSet":
    case "TraceExported":
      return Result.succeed(state)
  }
}
