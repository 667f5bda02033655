/**
 * Blockers, the queue, leases and locks, as they are shown.
 */
import * as Schema from "effect/Schema"
import { ErrorInfo, Remedy } from "../domain/errors/index.ts"
import { Actor, QueuePolicy } from "../domain/Event.ts"
import { CorrelationId, DeploymentId, EnvironmentName } from "../domain/Ids.ts"
import { ExecutionKind, ExecutionStatus } from "../domain/Machines.ts"
import { BlockerKind, ExpectedClearance } from "./CanDeployAnswer.ts"
import { Instant } from "./Instant.ts"

/**
 * The expected clearance.
 *
 * *Details*: its `basis` is `known` if the time is fixed (`n` is null), `history` if it lies between `low` and `high`
 * in 80 of 100 cases, by `n` earlier ones, and `few` if these are too few to say how often.
 */
export const ClearanceView = Schema.Struct({
  low: Instant,
  point: Instant,
  high: Instant,
  basis: ExpectedClearance.fields.basis,
  n: Schema.NullOr(Schema.Int)
}).annotate({ identifier: "ClearanceView" })
export type ClearanceView = typeof ClearanceView.Type

/**
 * One blocker.
 *
 * *Details*: `clearsAt` is null if unknown. `override` says how to go ahead anyway, null if that is not possible.
 */
export const BlockerView = Schema.Struct({
  kind: BlockerKind,
  code: Schema.String,
  message: Schema.String,
  params: ErrorInfo.fields.params,
  detail: ErrorInfo.fields.detail,
  who: Schema.NullOr(Schema.String),
  since: Schema.NullOr(Instant),
  clearsAt: Schema.NullOr(ClearanceView),
  consoleUrl: Schema.NullOr(Schema.String),
  override: Schema.NullOr(Schema.String),
  remedies: Schema.Array(Remedy)
}).annotate({ identifier: "BlockerView" })
export type BlockerView = typeof BlockerView.Type

/**
 * Whether something may be deployed now, and everything that blocks it.
 *
 * *Details*: `degraded` says that the store could not be reached, for `degradedReason`, and that only the providers
 * were asked. `queue.length` is the number of waiting requests. `nextFreeze` is the freeze that begins within a day, if
 * any.
 */
export const CanDeployView = Schema.Struct({
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  canDeploy: Schema.Boolean,
  degraded: Schema.Boolean,
  degradedReason: Schema.NullOr(Schema.String),
  blockers: Schema.Array(BlockerView),
  queue: Schema.Struct({ length: Schema.Int }),
  nextFreeze: Schema.NullOr(Schema.Struct({ name: Schema.String, since: Instant, until: Instant })),
  checkedAt: Instant
}).annotate({ identifier: "CanDeployView" })
export type CanDeployView = typeof CanDeployView.Type

/**
 * The remaining time, in ms.
 *
 * *Details*: `lowMs` to `highMs` holds with the probability `coverage` if `basis` is `history`. The three are null if
 * `basis` is `none` (no history) or `exceeded` (longer than all `n` before).
 */
export const RemainingTime = Schema.Struct({
  remainingMs: Schema.NullOr(Schema.Finite),
  lowMs: Schema.NullOr(Schema.Finite),
  highMs: Schema.NullOr(Schema.Finite),
  coverage: Schema.Finite,
  n: Schema.Int,
  basis: Schema.Literals(["history", "few", "none", "exceeded"]),
  scope: Schema.Literals(["environment", "deployment", "strategy", "provider", "stage", "all"])
}).annotate({ identifier: "RemainingTime" })
export type RemainingTime = typeof RemainingTime.Type

/**
 * A queue position.
 *
 * *Details*: `position` counts the waiting requests from 1, null if it no longer waits. `ahead` are the correlation ids
 * ahead of it, starting with the lease holder.
 */
export const PlaceView = Schema.Struct({
  position: Schema.NullOr(Schema.Int),
  ahead: Schema.Array(CorrelationId)
}).annotate({ identifier: "PlaceView" })
export type PlaceView = typeof PlaceView.Type

/** A registered request; `duplicate` if it was registered before. `estimate` is how long those ahead will take. */
export const RegisteredView = Schema.Struct({
  correlationId: CorrelationId,
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  kind: ExecutionKind,
  status: ExecutionStatus,
  ...PlaceView.fields,
  estimate: Schema.NullOr(RemainingTime),
  duplicate: Schema.Boolean
}).annotate({ identifier: "RegisteredView" })
export type RegisteredView = typeof RegisteredView.Type

/** The state while waiting for admission. */
export const AdmissionProgress = Schema.Struct({
  correlationId: CorrelationId,
  ...PlaceView.fields,
  estimate: Schema.NullOr(RemainingTime),
  blockers: Schema.Array(BlockerView)
}).annotate({ identifier: "AdmissionProgress" })
export type AdmissionProgress = typeof AdmissionProgress.Type

/** A queued request; `position` is null if no process waits with it. */
export const WaitingView = Schema.Struct({
  position: Schema.NullOr(Schema.Int),
  correlationId: CorrelationId,
  kind: ExecutionKind,
  by: Actor,
  version: Schema.NullOr(Schema.String),
  policy: QueuePolicy,
  commit: Schema.NullOr(Schema.String),
  workflowRun: Schema.NullOr(Schema.String),
  since: Instant
}).annotate({ identifier: "WaitingView" })
export type WaitingView = typeof WaitingView.Type

/** A person's lock on an environment; permanent if `until` is null. */
export const EnvironmentLockView = Schema.Struct({
  environment: EnvironmentName,
  by: Actor,
  reason: Schema.String,
  since: Instant,
  until: Schema.NullOr(Instant)
}).annotate({ identifier: "EnvironmentLockView" })
export type EnvironmentLockView = typeof EnvironmentLockView.Type

/** The holder of an environment's lease; `dead` says that the process that acquired it is gone. */
export const LeaseView = Schema.Struct({
  holder: Schema.String,
  owner: Schema.String,
  kind: Schema.NullOr(Schema.String),
  by: Schema.NullOr(Schema.String),
  since: Instant,
  expiresAt: Instant,
  dead: Schema.Boolean
}).annotate({ identifier: "LeaseView" })
export type LeaseView = typeof LeaseView.Type

/** An environment with its lease, its lock, and its queue. */
export const LockView = Schema.Struct({
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  lease: Schema.NullOr(LeaseView),
  lock: Schema.NullOr(EnvironmentLockView),
  queue: Schema.Array(WaitingView)
}).annotate({ identifier: "LockView" })
export type LockView = typeof LockView.Type

/** An active veto; `environment` is null if it applies to all of them. */
export const VetoView = Schema.Struct({
  version: Schema.String,
  environment: Schema.NullOr(EnvironmentName),
  reason: Schema.String,
  by: Actor,
  since: Instant
}).annotate({ identifier: "VetoView" })
export type VetoView = typeof VetoView.Type

/**
 * The result of a cleanup: the status before and after, null if there is no such execution, and whether a lease was
 * released.
 */
export const CleanupView = Schema.Struct({
  correlationId: CorrelationId,
  released: Schema.Boolean,
  was: Schema.NullOr(ExecutionStatus),
  now: Schema.NullOr(ExecutionStatus)
}).annotate({ identifier: "CleanupView" })
export type CleanupView = typeof CleanupView.Type
