/**
 * Choices of flags, written out: importing them from the domain would load all of its schemas for `--help`. A test
 * compares them.
 */
import type { EventTag, ExecutionKind, ExecutionStatus, QueuePolicy, StrategyName } from "@signalbox/core/spi"

export const strategies = [
  "all_at_once",
  "rolling",
  "blue_green",
  "canary"
] as const satisfies ReadonlyArray<StrategyName>

export const executionStatuses = [
  "queued",
  "in_progress",
  "paused",
  "rolling_back",
  "completed",
  "failed",
  "rolled_back",
  "cancelled"
] as const satisfies ReadonlyArray<ExecutionStatus>

export const policies = ["fifo", "latest_wins", "reject"] as const satisfies ReadonlyArray<QueuePolicy>

/** The kinds that may be requested; foreign deployments are only observed. */
export const requestKinds = [
  "deploy",
  "deploy-stack",
  "rollback",
  "destroy",
  "destroy-stack",
  "run"
] as const satisfies ReadonlyArray<Exclude<ExecutionKind, "observe">>

export const reports = ["succeeded", "failed", "cancelled"] as const

export const eventTags = [
  "DeploymentInitialized",
  "DeploymentExtended",
  "VersionVetoed",
  "VetoLifted",
  "EnvironmentLocked",
  "EnvironmentUnlocked",
  "LeaseRevoked",
  "ExecutionRequested",
  "ExecutionAdmitted",
  "RunnerClaimed",
  "LeaseAcquired",
  "ExecutionTransitioned",
  "StageTransitioned",
  "StackTransitioned",
  "DeploymentTransitioned",
  "StackPlanned",
  "CheckpointRecorded",
  "OutputsRecorded",
  "TrafficObserved",
  "VerdictReached",
  "ProgressReported",
  "ProcessStarted",
  "ProcessExited",
  "MonitorClaimed",
  "AlertRaised",
  "ApprovalRequested",
  "ApprovalResolved",
  "CommandIssued",
  "StepStarted",
  "StepFinished",
  "HandleRecorded",
  "DeferredDone",
  "ClockSet",
  "TraceExported",
  "NotificationAcknowledged"
] as const satisfies ReadonlyArray<EventTag>

/** Whether an execution has ended, without loading its state machine. */
export const isFinished = ({ status }: { readonly status: ExecutionStatus }): boolean =>
  status === "completed" || status === "failed" || status === "rolled_back" || status === "cancelled"
