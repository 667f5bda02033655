/**
 * What happened. Events are append-only and every status is a fold over them; their tags and fields are persisted, so
 * they are added to and never renamed.
 */
import * as Schema from "effect/Schema"
import { CorrelationId, DeploymentId, EnvironmentName, Percent, StackName, Timestamp } from "./Ids.ts"
import { Line } from "./Line.ts"
import {
  DeploymentStatus,
  DeploymentTrigger,
  ExecutionKind,
  ExecutionStatus,
  ExecutionTrigger,
  StackStatus,
  StackTrigger,
  StageName,
  StageTrigger
} from "./Machines.ts"
import { CauseInfo, ErrorInfo } from "./errors/index.ts"
import { Checkpoint, Endpoints, Json, Outputs, Release, StackPlan, TrafficShare } from "./Release.ts"
import { ExecutionSpec, QueuePolicy, StackSpec } from "./Spec.ts"
import { Verdict } from "./Verdict.ts"

/**
 * Who or what asked for something: a user, a CI job.
 */
export const Actor = Line.check(Schema.isMaxLength(256))

/**
 * What an operator may ask of a running execution.
 *
 * *Details*: `approve` answers a question with yes, `promote` skips what is left of the bakes of a stack (or of all),
 * `retry` runs a failed or inconclusive step again, `abort` goes back to the checkpoints.
 */
export const OperatorCommand = Schema.Literals(["pause", "resume", "approve", "promote", "abort", "retry"])
export type OperatorCommand = typeof OperatorCommand.Type

/**
 * What a stack was when an execution was asked for. All stacks of the environment are named, including stacks that the execution
 * does not work on: others may need their outputs.
 */
export const StackBefore = Schema.Struct({
  name: StackName,
  status: StackStatus,
  release: Schema.NullOr(Release),
  checkpoint: Schema.NullOr(Checkpoint),
  outputs: Outputs
})
export type StackBefore = typeof StackBefore.Type

/**
 * Says that a process sent spans to the execution's trace, which therefore needs its root.
 *
 * *Details*: `parent` is the W3C `traceparent` of what started the process, such as a CI job.
 */
export const Traced = Schema.Struct({ parent: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(256))) })
export type Traced = typeof Traced.Type

export { QueuePolicy }

/**
 * Where a request comes from: the commit that it brings in, with the time of the commit, and the run of the workflow that
 * asks (its address, or an id).
 */
export const Origin = Schema.Struct({
  commit: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(128))),
  committedAt: Schema.optionalKey(Timestamp),
  workflowRun: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(512)))
})
export type Origin = typeof Origin.Type

/**
 * What an alert reports, each thing once: an execution stalled, recovered, or took longer than expected; it ended; the
 * monitor was down for a while.
 */
export const AlertKind = Schema.Literals(["stalled", "recovered", "overdue", "succeeded", "failed", "monitoring_gap"])
export type AlertKind = typeof AlertKind.Type

/**
 * An alert, as data: who shows it renders it.
 *
 * *Details*: a stall is `silence` (no event for `elapsedMs`) or `stage` (one `stage`, or one `resource` in it, takes longer
 * than `thresholdMs`, which is the 95th percentile of `n` earlier ones). `about` is the id of the event that the stall began
 * with, and its recovery names the same one. An end has the `execution`'s kind, its `status`, and the `error` or `cause`.
 * Durations are in milliseconds.
 */
export const AlertFields = {
  kind: AlertKind,
  stall: Schema.optionalKey(Schema.Literals(["silence", "stage"])),
  about: Schema.optionalKey(Schema.String),
  stack: Schema.optionalKey(StackName),
  stage: Schema.optionalKey(StageName),
  resource: Schema.optionalKey(Schema.String),
  resourceType: Schema.optionalKey(Schema.String),
  elapsedMs: Schema.optionalKey(Schema.Int),
  thresholdMs: Schema.optionalKey(Schema.Int),
  n: Schema.optionalKey(Schema.Int),
  execution: Schema.optionalKey(ExecutionKind),
  status: Schema.optionalKey(ExecutionStatus),
  error: Schema.optionalKey(ErrorInfo),
  cause: Schema.optionalKey(CauseInfo)
}

/** What a deployment is called, and what it has. */
export const DeploymentFields = {
  deploymentId: DeploymentId,
  organization: Schema.String,
  project: Schema.String,
  template: Schema.String,
  environments: Schema.Array(EnvironmentName),
  stacks: Schema.Array(StackName)
}

/** What was requested of an execution, and by whom. */
export const RequestedFields = {
  version: Schema.optionalKey(Schema.String),
  artifact: Schema.optionalKey(Schema.String),
  /** The artifacts of single stacks, which go before `artifact`. */
  artifacts: Schema.optionalKey(Schema.Record(StackName, Schema.String)),
  strategy: Schema.optionalKey(Schema.String),
  /** Where a rollback goes if not one release back: as the deployment was after an execution, and how that was named. */
  to: Schema.optionalKey(Schema.Struct({ execution: CorrelationId, named: Schema.String })),
  by: Actor,
  reason: Schema.optionalKey(Schema.String),
  /** Why it is recorded, where no person asked for it; in a state, why it is as it is. */
  cause: Schema.optionalKey(CauseInfo),
  supersedes: Schema.optionalKey(CorrelationId)
}

/**
 * All events. A deployment's own events belong to its stream (`DeploymentInitialized`, what came to it, vetoes, locks,
 * revoked leases), the others to the stream of an execution.
 *
 * *Details*: `StepStarted` is the intent of a side effect and `StepFinished` its receipt: together they are the journal
 * of the workflow. `exit` is the encoded outcome of the step. `TraceExported` comes after the end, once a collector has
 * confirmed that it has the spans that are told from the log: it is what keeps them from being sent twice.
 *
 * A request with `queue` waits for its turn: until `ExecutionAdmitted`, which is written under the lease and says what
 * the execution really starts from. `override` is the reason why a freeze, a veto, a dependency or a newer commit was
 * not heeded. `ProcessStarted` and `ProcessExited` belong to a wrapped command, in which secrets are covered.
 * `heldUntil` is until when the claim of the runner before was held, where that runner ended abruptly.
 *
 * A `reason` is text of a person, a `cause` or an `error` data that the text room renders. `message` is text of a provider.
 */
export const Event = Schema.TaggedUnion({
  DeploymentInitialized: { ...DeploymentFields, by: Actor },
  DeploymentExtended: { environments: Schema.Array(EnvironmentName), stacks: Schema.Array(StackName), by: Actor },
  VersionVetoed: {
    version: Schema.String,
    environment: Schema.NullOr(EnvironmentName),
    reason: Schema.String,
    by: Actor
  },
  VetoLifted: { version: Schema.String, environment: Schema.NullOr(EnvironmentName), reason: Schema.String, by: Actor },
  EnvironmentLocked: {
    environment: EnvironmentName,
    reason: Schema.String,
    by: Actor,
    until: Schema.optionalKey(Timestamp),
    /** Taken over from its previous holder. */
    force: Schema.optionalKey(Schema.Boolean)
  },
  EnvironmentUnlocked: { environment: EnvironmentName, reason: Schema.String, by: Actor },
  LeaseRevoked: {
    environment: EnvironmentName,
    holder: Schema.String,
    fence: Schema.Int,
    reason: Schema.String,
    by: Actor
  },
  ExecutionRequested: {
    correlationId: CorrelationId,
    kind: ExecutionKind,
    deploymentId: DeploymentId,
    environment: EnvironmentName,
    ...RequestedFields,
    deploymentBefore: DeploymentStatus,
    stacksBefore: Schema.Array(StackBefore),
    spec: ExecutionSpec,
    /** The stacks that it was narrowed to. */
    only: Schema.optionalKey(Schema.Array(StackName)),
    queue: Schema.optionalKey(QueuePolicy),
    origin: Schema.optionalKey(Origin),
    override: Schema.optionalKey(Schema.String),
    command: Schema.optionalKey(Schema.String),
    trace: Schema.optionalKey(Traced)
  },
  ExecutionAdmitted: {
    deploymentBefore: DeploymentStatus,
    stacksBefore: Schema.Array(StackBefore),
    spec: ExecutionSpec,
    supersedes: Schema.optionalKey(CorrelationId)
  },
  RunnerClaimed: {
    runner: Schema.String,
    fence: Schema.Int,
    resumed: Schema.Boolean,
    heldUntil: Schema.optionalKey(Timestamp),
    trace: Schema.optionalKey(Traced)
  },
  LeaseAcquired: { key: Schema.String, fence: Schema.Int },
  ExecutionTransitioned: {
    on: ExecutionTrigger,
    cause: Schema.optionalKey(CauseInfo),
    by: Schema.optionalKey(Actor),
    error: Schema.optionalKey(ErrorInfo),
    heldUntil: Schema.optionalKey(Timestamp)
  },
  StageTransitioned: {
    stage: StageName,
    on: StageTrigger,
    stack: Schema.optionalKey(StackName),
    cause: Schema.optionalKey(CauseInfo)
  },
  StackTransitioned: {
    stack: StackName,
    on: StackTrigger,
    release: Schema.optionalKey(Schema.NullOr(Release)),
    /** The configuration that the stack is deployed with from now on. */
    spec: Schema.optionalKey(StackSpec),
    error: Schema.optionalKey(ErrorInfo)
  },
  DeploymentTransitioned: { on: DeploymentTrigger, cause: Schema.optionalKey(CauseInfo) },
  StackPlanned: { stack: StackName, plan: StackPlan },
  CheckpointRecorded: { stack: StackName, checkpoint: Checkpoint },
  OutputsRecorded: { stack: StackName, outputs: Outputs, endpoints: Schema.optionalKey(Endpoints) },
  TrafficObserved: { stack: StackName, shares: Schema.Array(TrafficShare), candidate: Percent },
  VerdictReached: { verdict: Verdict },
  ProgressReported: {
    stack: StackName,
    message: Schema.optionalKey(Schema.String),
    cause: Schema.optionalKey(CauseInfo),
    resource: Schema.optionalKey(Schema.String),
    resourceType: Schema.optionalKey(Schema.String),
    done: Schema.optionalKey(Schema.Boolean),
    failed: Schema.optionalKey(Schema.Boolean),
    url: Schema.optionalKey(Schema.String),
    /** When it happened, by the clock of the provider. */
    happenedAt: Schema.optionalKey(Timestamp),
    /** Heard by a monitor that asked the provider; a step said it where this is absent. */
    source: Schema.optionalKey(Schema.Literals(["monitor"])),
    /** The place of the provider's own event in its list: the next question asks for what came after it. */
    cursor: Schema.optionalKey(Schema.String)
  },
  ProcessStarted: { command: Schema.String },
  ProcessExited: {
    code: Schema.NullOr(Schema.Int),
    signal: Schema.NullOr(Schema.String),
    cause: Schema.optionalKey(CauseInfo)
  },
  MonitorClaimed: { monitor: Schema.String, restarts: Schema.Int, gapMs: Schema.optionalKey(Schema.Int) },
  AlertRaised: AlertFields,
  ApprovalRequested: {
    stack: StackName,
    question: CauseInfo,
    /** Absent, like the default answer, if it stays open until a person answers. */
    expiresAt: Schema.optionalKey(Timestamp),
    otherwise: Schema.optionalKey(Schema.Literals(["abort", "continue"]))
  },
  ApprovalResolved: {
    stack: StackName,
    answer: Schema.Literals(["abort", "continue"]),
    by: Schema.optionalKey(Actor),
    expired: Schema.Boolean
  },
  CommandIssued: {
    command: OperatorCommand,
    by: Actor,
    stack: Schema.optionalKey(StackName),
    reason: Schema.optionalKey(Schema.String),
    /** Why the engine itself issued it. */
    cause: Schema.optionalKey(CauseInfo),
    trace: Schema.optionalKey(Traced)
  },
  StepStarted: {
    step: Schema.String,
    attempt: Schema.Int,
    operation: Schema.String,
    stage: Schema.optionalKey(StageName),
    stack: Schema.optionalKey(StackName)
  },
  StepFinished: { step: Schema.String, attempt: Schema.Int, exit: Json },
  /** What the platform calls the operation that a step has begun; null if there is none any more. */
  HandleRecorded: { step: Schema.String, stack: StackName, handle: Schema.NullOr(Schema.String) },
  DeferredDone: { name: Schema.String, exit: Json },
  ClockSet: { name: Schema.String, wakeAt: Timestamp },
  TraceExported: { spans: Schema.Int },
  /** `notification` is the id of the event that it followed from, and its kind: `alert/stalled/silence/x#stalled`. */
  NotificationAcknowledged: { notification: Schema.String, by: Actor, reason: Schema.optionalKey(Schema.String) },
  /** What a newer version wrote, as it is: states leave it out. It is read and never written. */
  Unknown: { tag: Schema.String, body: Json }
})
export type Event = typeof Event.Type

/** The tags of events that this version writes. */
export const eventTags = (Object.keys(Event.cases) as ReadonlyArray<EventTag>).filter((tag) => tag !== "Unknown")
/** The names of events. */
export type EventTag = Event["_tag"]
/** The event with one tag. */
export type EventOf<Tag extends EventTag> = Extract<Event, { readonly _tag: Tag }>

/**
 * An event before it is written: its `id` makes a repeat harmless within its stream.
 */
export const NewEvent = Schema.Struct({ id: Schema.String, at: Timestamp, event: Event })
export type NewEvent = typeof NewEvent.Type

/**
 * An event as it is stored.
 *
 * *Details*: `stream` is a correlation id or a deployment id; `seq` counts from 1 within the stream without gaps;
 * `position` orders all streams of a store, with gaps.
 */
export const StoredEvent = Schema.Struct({
  stream: Schema.String,
  seq: Schema.Int,
  position: Schema.Int,
  deploymentId: DeploymentId,
  environment: Schema.NullOr(EnvironmentName),
  ...NewEvent.fields
})
export type StoredEvent = typeof StoredEvent.Type
