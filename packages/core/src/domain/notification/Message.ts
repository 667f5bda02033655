/**
 * What a notification says, as data: channels render it. A message is stored with its delivery, so its fields are added to and
 * never renamed.
 */
import * as Schema from "effect/Schema"
import { Actor, AlertFields, Origin } from "../Event.ts"
import { CorrelationId, DeploymentId, EnvironmentName, Percent, StackName, Timestamp } from "../Ids.ts"
import { ExecutionKind, ExecutionStatus, StackStatus, StageName } from "../Machines.ts"
import { CauseInfo, ErrorInfo } from "../errors/index.ts"
import { NotificationKind, Severity } from "./Kinds.ts"

/** When something is expected to end, from `n` earlier runs. */
export const MessageEta = Schema.Struct({
  earliest: Timestamp,
  latest: Timestamp,
  n: Schema.Int
})
export type MessageEta = typeof MessageEta.Type

/** One recent event: text of a provider, or data of the engine. */
export const RecentEvent = Schema.Struct({
  at: Timestamp,
  stack: Schema.optionalKey(StackName),
  what: Schema.Union([Schema.String, CauseInfo]),
  failed: Schema.optionalKey(Schema.Boolean)
})
export type RecentEvent = typeof RecentEvent.Type

/** One entry of a summary: a message that was not sent when it was new. */
export const SummaryItem = Schema.Struct({
  kind: NotificationKind,
  severity: Severity,
  at: Timestamp,
  execution: Schema.optionalKey(CorrelationId),
  environment: Schema.optionalKey(EnvironmentName),
  version: Schema.optionalKey(Schema.String)
})
export type SummaryItem = typeof SummaryItem.Type

const { about, elapsedMs, n, resource, resourceType, stack, stage, stall, thresholdMs } = AlertFields

/** The fields of an alert about an execution in progress. */
export const stallFields = { stall, about, stack, stage, resource, resourceType, elapsedMs, thresholdMs, n }

const ending = {
  elapsedMs: Schema.optionalKey(Schema.Int),
  error: Schema.optionalKey(ErrorInfo),
  cause: Schema.optionalKey(CauseInfo)
}
const decided = { reason: Schema.String, by: Actor }

const facts = <const Kind extends NotificationKind, const Fields extends Schema.Struct.Fields>(
  kind: Kind,
  fields: Fields
) => Schema.Struct({ kind: Schema.Literal(kind), ...fields })

/**
 * What happened, by kind.
 *
 * *Details*:
 * - `waiting` `behind` says for what it waits; `clearance` when that is expected to end
 * - `progress` the newest events last
 * - `paused` also after an inconclusive verdict, which is then the `cause`
 * - `failed` the first cause and the last lines of the release's log
 * - `rolled_back` `affectedMs` is how long requests reached the candidate
 * - `recovery_summary` what a channel did not get while it was away: `items`, the oldest first, and how many `more`;
 *   `grouped` if the channel was not away, but a route collects them
 * - `acknowledged` `of` is the id of the delivery
 */
export const Facts = Schema.Union([
  facts("started", { resumed: Schema.optionalKey(Schema.Boolean) }),
  facts("waiting", { behind: Schema.Array(CauseInfo), clearance: Schema.optionalKey(MessageEta) }),
  facts("progress", {
    stage: Schema.optionalKey(StageName),
    recent: Schema.Array(RecentEvent),
    eta: Schema.optionalKey(MessageEta)
  }),
  facts("approval_requested", {
    stack: StackName,
    question: CauseInfo,
    expiresAt: Schema.optionalKey(Timestamp),
    otherwise: Schema.optionalKey(Schema.Literals(["abort", "continue"]))
  }),
  facts("paused", { by: Schema.optionalKey(Actor), cause: Schema.optionalKey(CauseInfo) }),
  facts("stalled", stallFields),
  facts("recovered", stallFields),
  facts("overdue", stallFields),
  facts("monitoring_gap", stallFields),
  facts("completed", { elapsedMs: Schema.optionalKey(Schema.Int) }),
  facts("failed", { ...ending, lines: Schema.optionalKey(Schema.Array(Schema.String)) }),
  facts("cancelled", { ...ending, by: Schema.optionalKey(Actor) }),
  facts("rolled_back", { ...ending, affectedMs: Schema.optionalKey(Schema.Int) }),
  facts("locked", { ...decided, until: Schema.optionalKey(Timestamp), force: Schema.optionalKey(Schema.Boolean) }),
  facts("unlocked", decided),
  facts("lease_revoked", { ...decided, holder: Schema.String }),
  facts("vetoed", { ...decided, version: Schema.String }),
  facts("veto_lifted", { ...decided, version: Schema.String }),
  facts("freeze_overridden", decided),
  facts("drift", {
    stack: StackName,
    fields: Schema.Array(Schema.Struct({ field: Schema.String, expected: Schema.String, actual: Schema.String }))
  }),
  facts("acknowledged", { by: Actor, of: Schema.String }),
  facts("recovery_summary", {
    since: Timestamp,
    until: Timestamp,
    items: Schema.Array(SummaryItem),
    more: Schema.Int,
    grouped: Schema.optionalKey(Schema.Boolean)
  }),
  facts("test", { by: Actor })
])
export type Facts = typeof Facts.Type
/** The facts of one kind. */
export type FactsOf<Kind extends NotificationKind> = Extract<Facts, { readonly kind: Kind }>

/**
 * A stack, as the message shows it.
 *
 * *Details*: `version` is what it runs, or is brought in; `was` what it ran before; `address` where the release answers;
 * `traffic` the percent on the candidate; `stage` the one in progress.
 */
export const MessageStack = Schema.Struct({
  name: StackName,
  status: StackStatus,
  version: Schema.optionalKey(Schema.String),
  was: Schema.optionalKey(Schema.String),
  address: Schema.optionalKey(Schema.String),
  stage: Schema.optionalKey(StageName),
  traffic: Schema.optionalKey(Percent),
  progress: Schema.optionalKey(Schema.Union([Schema.String, CauseInfo]))
})
export type MessageStack = typeof MessageStack.Type

/** The execution that a message is about. */
export const MessageExecution = Schema.Struct({
  id: CorrelationId,
  kind: ExecutionKind,
  status: ExecutionStatus,
  by: Actor,
  version: Schema.optionalKey(Schema.String),
  reason: Schema.optionalKey(Schema.String),
  command: Schema.optionalKey(Schema.String),
  origin: Schema.optionalKey(Origin),
  requestedAt: Timestamp,
  startedAt: Schema.optionalKey(Timestamp),
  finishedAt: Schema.optionalKey(Timestamp)
})
export type MessageExecution = typeof MessageExecution.Type

/** Where a link leads. */
export const LinkTarget = Schema.Literals(["console", "trace", "workflow", "address", "acknowledge", "dashboard"])
export type LinkTarget = typeof LinkTarget.Type

/**
 * A notification as data, in no language.
 *
 * *Details*: `stream` and `event` say which event it follows from; messages of one `stream` are in order. Without
 * `execution` it is about the deployment or one of its environments, or, in a summary or a test, about the channel.
 */
export const Message = Schema.Struct({
  stream: Schema.String,
  seq: Schema.Int,
  event: Schema.String,
  at: Timestamp,
  severity: Severity,
  deployment: Schema.optionalKey(
    Schema.Struct({ id: DeploymentId, organization: Schema.String, project: Schema.String })
  ),
  environment: Schema.optionalKey(EnvironmentName),
  execution: Schema.optionalKey(MessageExecution),
  stacks: Schema.Array(MessageStack),
  links: Schema.Array(Schema.Struct({ to: LinkTarget, url: Schema.String })),
  facts: Facts
})
export type Message = typeof Message.Type
