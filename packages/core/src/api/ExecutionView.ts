/**
 * Executions as they are shown: by `--json`, by the SDK, over HTTP.
 */
import * as Schema from "effect/Schema"
import { Actor, QueuePolicy } from "../domain/Event.ts"
import { Question, StageState } from "../domain/ExecutionState.ts"
import { CorrelationId, DeploymentId, EnvironmentName, Percent, StackName } from "../domain/Ids.ts"
import { ExecutionKind, ExecutionStatus, StackStatus } from "../domain/Machines.ts"
import { CauseInfo, ErrorInfo } from "../domain/errors/index.ts"
import { Endpoints, Outputs, Release } from "../domain/Release.ts"
import { Evidence, Verdict } from "../domain/Verdict.ts"
import { Instant } from "./Instant.ts"

/** An error, as data and in words. */
export const ErrorView = Schema.Struct({
  ...ErrorInfo.fields,
  code: Schema.String,
  message: Schema.String,
  hint: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "ErrorView" })
export type ErrorView = typeof ErrorView.Type

/** A cause, as data and in words. */
export const CauseView = Schema.Struct({
  ...CauseInfo.fields,
  code: Schema.String,
  message: Schema.String
}).annotate({ identifier: "CauseView" })
export type CauseView = typeof CauseView.Type

/** A stage, of an execution or of one of its stacks. */
export const StageView = Schema.Struct({
  name: StageState.fields.name,
  status: StageState.fields.status,
  startedAt: Schema.NullOr(Instant),
  finishedAt: Schema.NullOr(Instant),
  reason: Schema.optionalKey(Schema.String),
  cause: Schema.optionalKey(CauseInfo)
}).annotate({ identifier: "StageView" })
export type StageView = typeof StageView.Type

/** A judgement of a gate; each `reason` says the findings in words. */
export const VerdictView = Schema.Struct({
  ...Verdict.fields,
  reason: Schema.String,
  evidence: Schema.Array(Schema.Struct({ ...Evidence.fields, reason: Schema.String })),
  at: Instant
}).annotate({ identifier: "VerdictView" })
export type VerdictView = typeof VerdictView.Type

/** A question that waits for a person; without `expiresAt` and `otherwise`, until it is answered. */
export const QuestionView = Schema.Struct({
  ...Question.fields,
  ...CauseView.fields,
  question: Schema.String,
  expiresAt: Schema.NullOr(Instant),
  otherwise: Schema.NullOr(Schema.Literals(["abort", "continue"]))
}).annotate({
  identifier: "QuestionView"
})
export type QuestionView = typeof QuestionView.Type

/** A stack within an execution. */
export const StackView = Schema.Struct({
  name: StackName,
  provider: Schema.String,
  status: StackStatus,
  release: Schema.NullOr(Release),
  candidate: Schema.NullOr(Release),
  candidateTraffic: Percent,
  outputs: Outputs,
  endpoints: Schema.optionalKey(Endpoints),
  stages: Schema.Array(StageView),
  progress: Schema.optionalKey(Schema.String),
  error: Schema.optionalKey(ErrorView)
}).annotate({ identifier: "StackView" })
export type StackView = typeof StackView.Type

/**
 * An execution.
 *
 * *Details*: `durationMs` runs from its start to its end, or to now while it is in progress. `to` is the execution that a
 * rollback goes back to, if not one release back. Missing values are null. Only lists say `restorable`: whether the
 * record suffices to go back to what the deployment was after it.
 */
export const ExecutionView = Schema.Struct({
  deploymentId: DeploymentId,
  correlationId: CorrelationId,
  traceId: Schema.String,
  kind: ExecutionKind,
  status: ExecutionStatus,
  environment: EnvironmentName,
  version: Schema.NullOr(Schema.String),
  strategy: Schema.NullOr(Schema.String),
  to: Schema.NullOr(CorrelationId),
  restorable: Schema.optionalKey(Schema.Boolean),
  triggeredBy: Actor,
  reason: Schema.NullOr(Schema.String),
  cause: Schema.NullOr(CauseView),
  queue: Schema.NullOr(QueuePolicy),
  override: Schema.NullOr(Schema.String),
  commit: Schema.NullOr(Schema.String),
  committedAt: Schema.NullOr(Instant),
  workflowRun: Schema.NullOr(Schema.String),
  requestedAt: Instant,
  turnAt: Schema.NullOr(Instant),
  startedAt: Schema.NullOr(Instant),
  finishedAt: Schema.NullOr(Instant),
  durationMs: Schema.NullOr(Schema.Finite),
  stacks: Schema.Array(StackView),
  stages: Schema.Array(StageView),
  verdicts: Schema.Array(VerdictView),
  questions: Schema.Array(QuestionView),
  error: Schema.NullOr(ErrorView)
}).annotate({ identifier: "ExecutionView" })
export type ExecutionView = typeof ExecutionView.Type

/** The current runner of an execution. */
export const RunnerView = Schema.Struct({
  owner: Schema.String,
  acquiredAt: Instant,
  expiresAt: Instant
}).annotate({ identifier: "RunnerView" })
export type RunnerView = typeof RunnerView.Type

/** An event: `type` is its tag, `data` its fields, without the encoded outcome of steps. */
export const EventView = Schema.Struct({
  stream: Schema.String,
  seq: Schema.Int,
  id: Schema.String,
  at: Instant,
  deploymentId: DeploymentId,
  environment: Schema.NullOr(EnvironmentName),
  type: Schema.String,
  data: Schema.Record(Schema.String, Schema.Unknown)
}).annotate({ identifier: "EventView" })
export type EventView = typeof EventView.Type
