/**
 * The port of a provider: an adapter that implements stacks of one kind.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type Percent, Timestamp } from "../domain/Ids.ts"
import { type Checkpoint, Endpoints, Outputs, Release, type StackPlan, TrafficShare } from "../domain/Release.ts"
import { type AlarmState, HealthUnit } from "../domain/Verdict.ts"
import type { Logs } from "./Logs.ts"
import type { MetricSource } from "./MetricSource.ts"
import type { ProviderError } from "./ProviderError.ts"
import type { PlaceRef, StackRef } from "./StackRef.ts"

export type { PlaceRef, StackRef } from "./StackRef.ts"

/**
 * What a provider supports beyond the required operations, as data that plans are checked against.
 *
 * *Details*: `traffic` is `percent` (any share), `switch` (all or nothing) or `none` (a staged release is live at
 * once); `capacity` whether capacity can be added in parts; `outputs` names the outputs of its stacks, `"*"` stands for
 * any. `fencing` says what stops a runner whose lease is over: the other side compares fences and refuses an older one
 * (`compared`), or only the guard does, before each call (`guarded`). `firstRelease` says whether the first release of a
 * stack waits for its traffic (`staged`, the default) or gets all of it when it is staged (`live`). `adopts` says that
 * `observe` and `plan` take a live service that was not deployed by Signalbox for the stable release (default no), so that
 * its first canary is not a switch of all traffic. `irreversible` is the reason why no stack of the kind is undone, unless
 * the stack gives another one. Optional groups are not declared: they are there or not. Undeclared
 * features fail as `Unsupported`.
 */
export interface Capabilities {
  readonly spiVersion: 1
  readonly traffic: "percent" | "switch" | "none"
  readonly capacity: boolean
  readonly outputs: ReadonlyArray<string>
  readonly fencing: "compared" | "guarded"
  readonly firstRelease?: "staged" | "live"
  readonly adopts?: boolean
  readonly irreversible?: string
}

/** The optional groups of a provider that no capability declares. */
export type ProviderGroup = "metrics" | "drift" | "restart" | "events" | "fence" | "canGoBack" | "alarms" | "logs"

/**
 * The release to bring in. `artifact` is a path or URL, as the user gave it.
 */
export interface Candidate {
  readonly version: string
  readonly artifact?: string
}

/**
 * The input of every mutating operation.
 *
 * *Details*: an operation is idempotent: called again with the same `idempotencyKey` (after a crash, a broken
 * connection, a timeout), it finishes the same work and never does it twice. The key is unique to the step, up to 256
 * characters; an adapter whose platform accepts fewer hashes it. Run `guard` immediately before each call that changes
 * something: it fails with `Fenced` if the lease is lost. Send `fence` with the call if the other side can compare it:
 * a process may be stopped after its guard, and then only the other side can tell that its call is too late. `progress`
 * reports an event under the same id as `events.since` does, if the provider has that group; repeats are harmless.
 * `leaseLeft` is how long the lease certainly lasts if it is not renewed: a call
 * with a deadline below it cannot take effect after another runner has taken over.
 */
export interface Mutation {
  readonly idempotencyKey: string
  readonly fence: number
  readonly guard: Effect.Effect<void, ProviderError>
  readonly progress: (event: ProviderEvent) => Effect.Effect<void>
  readonly handle: OperationHandle
  readonly leaseLeft: Effect.Effect<Duration.Duration>
}

const nothingChanges = new Error("nothing may be changed here")

/** Stands in for a mutation where nothing may be changed, such as in a preview: its guard and its lease die. */
export const noMutation: Mutation = {
  idempotencyKey: "none",
  fence: 0,
  guard: Effect.die(nothingChanges),
  progress: () => Effect.void,
  handle: { get: Effect.succeed(null), set: () => Effect.void },
  leaseLeft: Effect.die(nothingChanges)
}

/**
 * The name under which the platform knows the operation that this step has begun, kept in the log.
 *
 * *When to use*: where the platform chooses the name of what it begins (an operation, a change set), or where a token of
 * the caller does not lead back to it.
 *
 * *Details*: `get` returns what this step has set last, also if another process did; null for a new step. `set` returns
 * once it is stored: set it before waiting, so that a repeat waits for the same operation. Where the caller chooses the
 * name, set it before the call that begins it. A handle is stored and shown, so it must not be a secret.
 */
export interface OperationHandle {
  readonly get: Effect.Effect<string | null>
  readonly set: (handle: string | null) => Effect.Effect<void>
}

/**
 * How many instances a release has, and how many of them are healthy.
 *
 * *Details*: `unit` is `instance` by default. Where a platform has no instances to count (a service scaled to zero, an
 * uploaded site, a finished job), it is `release`: `total` is 1, and `healthy` 1 if the release is ready.
 */
export const Health = Schema.Struct({
  healthy: Schema.Int,
  total: Schema.Int,
  unit: Schema.optionalKey(HealthUnit)
})
export type Health = typeof Health.Type

/** One resource of a stack, as its platform names it. */
export const Resource = Schema.Struct({
  id: Schema.String,
  type: Schema.String,
  status: Schema.String,
  reason: Schema.optionalKey(Schema.String)
})
export type Resource = typeof Resource.Type

/**
 * The actual state.
 *
 * *Details*: `traffic` is the effective traffic, read back and not remembered; `trafficSource` says whether requests
 * were measured (`measured`, the default) or a configuration was read (`configured`). `reason` says why it is not
 * ready, if known. `fence` is the highest that a mutation has shown, if the provider remembers it. `operation` is the
 * operation in progress, `foreign` if Signalbox did not start it. `health` covers each release that has capacity,
 * `endpoints` each one with an address of its own.
 */
export const Observation = Schema.Struct({
  status: Schema.Literals(["absent", "ready", "changing", "failed", "unknown"]),
  reason: Schema.optionalKey(Schema.String),
  fence: Schema.optionalKey(Schema.Int),
  stable: Schema.NullOr(Release),
  candidate: Schema.NullOr(Release),
  traffic: Schema.Array(TrafficShare),
  trafficSource: Schema.optionalKey(Schema.Literals(["configured", "measured"])),
  health: Schema.Record(Schema.String, Health),
  operation: Schema.NullOr(
    Schema.Struct({
      id: Schema.String,
      description: Schema.String,
      foreign: Schema.Boolean,
      startedAt: Schema.NullOr(Timestamp)
    })
  ),
  lastChangedAt: Schema.NullOr(Timestamp),
  outputs: Outputs,
  endpoints: Schema.optionalKey(Endpoints),
  resources: Schema.Array(Resource),
  consoleUrl: Schema.optionalKey(Schema.String)
})
export type Observation = typeof Observation.Type

/** What is observed of a stack that is not there. */
export const absent: Observation = {
  status: "absent",
  stable: null,
  candidate: null,
  traffic: [],
  health: {},
  operation: null,
  lastChangedAt: null,
  outputs: {},
  resources: []
}

/** The operation in progress that Signalbox did not start, if there is one. */
export const foreignOperation = ({ operation }: Observation): NonNullable<Observation["operation"]> | undefined =>
  operation?.foreign === true ? operation : undefined

/** A field that differs from its deployed value. */
export const Drift = Schema.Struct({
  field: Schema.String,
  expected: Schema.String,
  actual: Schema.String,
  /** Whether an execution may own this field while it runs: traffic weights, capacity. */
  owned: Schema.Boolean
})
export type Drift = typeof Drift.Type

/**
 * An issue of a stack's properties. `path` leads into them; `expected` and `hint` say what to write instead.
 */
export interface PropertyIssue {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
  readonly expected: string
  readonly hint: string
}

/**
 * Whether and how a checkpoint can be restored.
 *
 * *Details*: `switch` the release is still there and gets the traffic back; `rebuild` it has to be brought up again from
 * its record, which takes longer; `impossible` it is gone. `why` is a sentence.
 */
export const WayBack = Schema.Struct({
  how: Schema.Literals(["switch", "rebuild", "impossible"]),
  why: Schema.String
})
export type WayBack = typeof WayBack.Type

/**
 * A provider.
 *
 * *Details*: the required operations work for every stack; the other ones are optional. `traffic` exists exactly if
 * `capabilities.traffic` is not `none`, and `fence` only if fences are compared.
 *
 * - `plan` computes the changes, detects a no-op, and takes the checkpoint; it changes nothing that runs. In an execution
 *   it has a mutation, for platforms on which a plan is something that is made (a change set); a preview has none. A plan
 *   that nothing follows must not block the next one
 * - `stage` adds `capacityPercent` of the candidate's capacity and waits until it is ready; no traffic yet, unless
 *   `capabilities.traffic` is `none`
 * - `observe` reads the current state
 * - `rollback` restores a checkpoint of the stack: its traffic first, then its capacity; a checkpoint without a release
 *   removes the stack. It also works in the middle of any other operation
 * - `destroy` removes everything; "already gone" is success
 * - `fence` refuses, once it has returned, every mutation of the place with a smaller fence, and fails with `Fenced` if
 *   a larger one was seen. A runner calls it before anything else
 *
 * Two optional functions find mistakes before anything is recorded:
 *
 * - `canGoBack` tells whether a rollback to the checkpoint can succeed in the current state, and how; it changes nothing
 * - `exclusive` lists what two stacks of one environment cannot share. It only reads the properties
 *
 * `plan` and `canGoBack` are called before a request is recorded: their `Invalid`, `Unsupported` and `Missing` reject it,
 * and so does an impossible rollback. `canGoBack` is also called with a plan, before the first shift and before a rollback.
 *
 * *Errors*: `ProviderError`; core retries the retryable ones.
 */
export interface Provider {
  readonly kind: string
  readonly capabilities: Capabilities
  readonly properties: Schema.ConstraintDecoder<unknown>
  /** Checks properties in place of the schema; the issues of values at or below `references` do not count. */
  readonly checkProperties?: (
    properties: unknown,
    references: ReadonlyArray<ReadonlyArray<string | number>>
  ) => ReadonlyArray<PropertyIssue>
  readonly plan: (ref: StackRef, candidate: Candidate, mutation?: Mutation) => Effect.Effect<StackPlan, ProviderError>
  readonly stage: (
    ref: StackRef,
    options: { readonly plan: StackPlan; readonly capacityPercent: number },
    mutation: Mutation
  ) => Effect.Effect<Observation, ProviderError>
  readonly observe: (ref: StackRef) => Effect.Effect<Observation, ProviderError>
  readonly rollback: (
    ref: StackRef,
    checkpoint: Checkpoint,
    mutation: Mutation
  ) => Effect.Effect<Observation, ProviderError>
  readonly destroy: (ref: StackRef, mutation: Mutation) => Effect.Effect<void, ProviderError>
  readonly traffic?: Traffic
  readonly metrics?: MetricSource
  readonly drift?: DriftControl
  readonly alarms?: Alarms
  readonly logs?: Logs
  readonly restart?: (ref: StackRef, mutation: Mutation) => Effect.Effect<Observation, ProviderError>
  readonly events?: ProviderEvents
  readonly canGoBack?: (ref: StackRef, checkpoint: Checkpoint) => Effect.Effect<WayBack, ProviderError>
  readonly exclusive?: (ref: StackRef) => ReadonlyArray<Exclusive>
  readonly fence?: (place: PlaceRef, fence: number) => Effect.Effect<void, ProviderError>
}

/**
 * Something that a stack uses exclusively, as a noun phrase (`port 8080`), and the property that requests it.
 */
export interface Exclusive {
  readonly name: string
  readonly path: ReadonlyArray<string>
}

/**
 * Shifts traffic between releases.
 *
 * *Details*: `shift` gives `percent` of the traffic to `releaseId` and the rest to the stable release (all of it to
 * `releaseId` if there is none and `percent` is above 0), and returns once the *effective* traffic, read back, matches.
 * `retire` drains every release except `keep` down to `capacityPercent` of its capacity (0 removes it) and fails with
 * `Conflict` if a release has a larger share of the traffic than that; at 0, `keep` is the stable release from then on.
 */
export interface Traffic {
  readonly shift: (
    ref: StackRef,
    options: { readonly releaseId: string; readonly percent: Percent },
    mutation: Mutation
  ) => Effect.Effect<Observation, ProviderError>
  readonly retire: (
    ref: StackRef,
    options: { readonly keep: string; readonly capacityPercent: Percent },
    mutation: Mutation
  ) => Effect.Effect<Observation, ProviderError>
}

/**
 * Reads alarms that people set up on the platform.
 *
 * *Details*: `states` answers for each name. An alarm without enough data is `insufficient_data`, never `ok`.
 *
 * *Errors*: `Missing` if there is no alarm of a name.
 */
export interface Alarms {
  readonly states: (
    ref: StackRef,
    names: ReadonlyArray<string>
  ) => Effect.Effect<Readonly<Record<string, AlarmState>>, ProviderError>
}

/** Detects and corrects changes made behind Signalbox. */
export interface DriftControl {
  readonly detect: (ref: StackRef) => Effect.Effect<ReadonlyArray<Drift>, ProviderError>
  /** Corrects only the given fields. */
  readonly correct: (
    ref: StackRef,
    fields: ReadonlyArray<string>,
    mutation: Mutation
  ) => Effect.Effect<Observation, ProviderError>
}

/**
 * An event of one resource of a stack, as its platform reports it.
 *
 * *Details*: `id` is unique within the stack and stable for the same event. `done` says that the resource is finished,
 * `failed` that it has failed: the first such event is shown as the cause if the operation fails. `url` is its page.
 */
export const ProviderEvent = Schema.Struct({
  id: Schema.String,
  at: Timestamp,
  message: Schema.String,
  resource: Schema.optionalKey(Schema.String),
  resourceType: Schema.optionalKey(Schema.String),
  done: Schema.optionalKey(Schema.Boolean),
  failed: Schema.optionalKey(Schema.Boolean),
  url: Schema.optionalKey(Schema.String)
})
export type ProviderEvent = typeof ProviderEvent.Type

/**
 * Reports the events of a stack.
 *
 * *Details*: `since` returns the events after `cursor`, oldest first. A cursor comes from an earlier answer, or is the
 * `id` of an event, or is null for the oldest at or after the time `from`. An unknown cursor counts as null; a repeated
 * event is harmless. Events before `from` are not asked for, so a long history costs nothing.
 */
export interface ProviderEvents {
  readonly since: (
    ref: StackRef,
    cursor: string | null,
    options: { readonly from: Timestamp }
  ) => Effect.Effect<{ readonly events: ReadonlyArray<ProviderEvent>; readonly cursor: string | null }, ProviderError>
}
