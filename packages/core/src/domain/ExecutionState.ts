/**
 * The state of one execution, and queries on it.
 */
import * as Schema from "effect/Schema"
import { AlertFields, Origin, QueuePolicy, RequestedFields } from "./Event.ts"
import { CorrelationId, DeploymentId, EnvironmentName, Percent, StackName, Timestamp } from "./Ids.ts"
import * as Machine from "./Machine.ts"
import {
  DeploymentStatus,
  ExecutionKind,
  executionMachine,
  ExecutionStatus,
  StackStatus,
  StageName,
  StageStatus
} from "./Machines.ts"
import { CauseInfo, ErrorInfo } from "./errors/index.ts"
import { Checkpoint, Endpoints, Outputs, Release } from "./Release.ts"
import { StrategyName } from "./Spec.ts"
import { Verdict } from "./Verdict.ts"

/**
 * One stage, of an execution or of a stack in it.
 *
 * *Details*: `waitedMs` is how long it has waited for people so far, without the current wait since `waitingSince`.
 */
export const StageState = Schema.Struct({
  name: StageName,
  status: StageStatus,
  startedAt: Schema.optionalKey(Timestamp),
  finishedAt: Schema.optionalKey(Timestamp),
  waitingSince: Schema.optionalKey(Timestamp),
  waitedMs: Schema.optionalKey(Schema.Int),
  cause: Schema.optionalKey(CauseInfo)
})
export type StageState = typeof StageState.Type

/**
 * One stack within an execution.
 *
 * *Details*: `release` is what it runs, `candidate` what is being brought in with `candidateTraffic` percent observed on it.
 * `progress` is the last word of its provider, as text, or of the engine, as data.
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
  endpoints: Schema.optionalKey(Endpoints),
  irreversible: Schema.optionalKey(Schema.String),
  progress: Schema.optionalKey(Schema.Union([Schema.String, CauseInfo])),
  /** The first failure of a resource of it. */
  firstFailure: Schema.optionalKey(CauseInfo),
  error: Schema.optionalKey(ErrorInfo),
  stages: Schema.Array(StageState)
})
export type StackState = typeof StackState.Type

/**
 * A question that waits for a person, with the answer that is assumed after `expiresAt`. Without those it stays open
 * until it is answered.
 */
export const Question = Schema.Struct({
  stack: StackName,
  question: CauseInfo,
  expiresAt: Schema.optionalKey(Timestamp),
  otherwise: Schema.optionalKey(Schema.Literals(["abort", "continue"]))
})
export type Question = typeof Question.Type

/** An alert that was raised about an execution. */
export const Alert = Schema.Struct({ at: Timestamp, ...AlertFields })
export type Alert = typeof Alert.Type

/** How a wrapped command ended: with an exit code, or by a signal. */
export const ProcessExit = Schema.Struct({ code: Schema.NullOr(Schema.Int), signal: Schema.NullOr(Schema.String) })
export type ProcessExit = typeof ProcessExit.Type

/** A period of standing still; `to` is absent while it lasts. */
export const Pause = Schema.Struct({ from: Timestamp, to: Schema.optionalKey(Timestamp) })
export type Pause = typeof Pause.Type

/**
 * The state of one execution. Times are in milliseconds since the epoch.
 *
 * *Details*: `reason` is given by the person who asked for it, `cause` says why it is in its present state. `turnAt` is
 * when it came to its turn, where it had to wait in a queue. `command` and `exit` belong to a wrapped command. `pauses`
 * come from an operator, or from a process that was stopped; questions are told by the stages that wait for an answer.
 */
export const ExecutionState = Schema.Struct({
  correlationId: CorrelationId,
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  kind: ExecutionKind,
  status: ExecutionStatus,
  deploymentBefore: DeploymentStatus,
  ...RequestedFields,
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
  alerts: Schema.optionalKey(Schema.Array(Alert)),
  error: Schema.optionalKey(ErrorInfo)
})
export type ExecutionState = typeof ExecutionState.Type

/**
 * Whether the execution has ended.
 */
export const isFinished = (state: ExecutionState): boolean => Machine.isTerminal(executionMachine, state.status)

/**
 * Whether the execution waits in the queue for admission. An execution that started without waiting is admitted.
 */
export const isQueued = ({ queue, status, turnAt }: ExecutionState): boolean =>
  status === "queued" && queue !== undefined && turnAt === undefined

/**
 * Whether it waits for people: one of them paused it, or a question is open.
 */
export const waitsForPeople = ({ questions, status }: Pick<ExecutionState, "questions" | "status">): boolean =>
  status === "paused" || questions.length > 0

/**
 * Whether its command may be alive even though its runner may be gone: it began, and its end was never recorded.
 */
export const mayHaveCommand = ({ exit, kind, startedAt }: ExecutionState): boolean =>
  kind === "run" && startedAt !== undefined && exit === undefined

/**
 * Whether an execution that waits for a person yields to a queued one: always to a rollback, since both then roll back;
 * to others as long as no traffic and no stack has been switched to its candidate.
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
 * The stages of an execution of this kind if nothing goes wrong.
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
