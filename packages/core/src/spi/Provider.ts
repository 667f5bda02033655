/**
 * The port of a provider: an adapter that makes stacks of one kind real.
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { type DeploymentId, type EnvironmentName, Percent, type StackName, Timestamp } from "../domain/Ids.ts"
import { type Checkpoint, type Json, Outputs, Release, type StackPlan, TrafficShare } from "../domain/Release.ts"
import type { ProviderError } from "./ProviderError.ts"

/**
 * What a provider can do beyond the required operations, as data that plans are checked against.
 *
 * *Details*: `traffic` is `percent` (any share), `switch` (all or nothing) or `none` (a staged release is live at once);
 * `capacity` whether capacity can be brought in by parts; `outputs` names the outputs its stacks produce, `"*"` stands for
 * any; `events` whether it tells what happens by itself, `fencing` whether it can be told of a new holder of the lease before
 * that one changes anything (both left out: no). What is not declared fails as `Unsupported`.
 */
export interface Capabilities {
  readonly spiVersion: 1
  readonly traffic: "percent" | "switch" | "none"
  readonly capacity: boolean
  readonly metrics: boolean
  readonly drift: boolean
  readonly restart: boolean
  readonly outputs: ReadonlyArray<string>
  readonly events?: boolean
  readonly fencing?: boolean
}

/**
 * A stack in its environment: what the operations that only read need.
 */
export interface StackRef {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly stack: StackName
  /** The stack's properties as configured, checked with `Provider.properties`; outputs of other stacks are filled in. */
  readonly properties: Json
  readonly region?: string
  readonly account?: string
}

/** What a lease is on: all stacks of a deployment in one environment. */
export type PlaceRef = Pick<StackRef, "deploymentId" | "environment" | "region" | "account">

/**
 * What is to be brought in. `artifact` is a path or URL, as the user gave it.
 */
export interface Candidate {
  readonly version: string
  readonly artifact?: string
}

/**
 * What every mutating operation is handed.
 *
 * *Details*: an operation is an *ensure*: called again with the same `idempotencyKey` (after a crash, a cut connection, a
 * timeout) it finishes the same work and never does it twice. The key is unique to the step, up to 256 characters; an adapter
 * whose other side takes less hashes it. `guard` is run right before each call that changes
 * something: it fails with `Fenced` where the lease is lost; `fence` goes along with the call where the other side can
 * compare it: a process may be stopped after its guard, and then only the other side can tell that its call is too late.
 * `progress` tells what is going on; repeats are harmless.
 */
export interface Mutation {
  readonly idempotencyKey: string
  readonly fence: number
  readonly guard: Effect.Effect<void, ProviderError>
  readonly progress: (message: string, resource?: string) => Effect.Effect<void>
}

/** How many instances of a release there are, and how many of them are healthy. */
export const Health = Schema.Struct({ healthy: Schema.Int, total: Schema.Int })
export type Health = typeof Health.Type

/** One thing that a stack consists of, as its platform names it. */
export const Resource = Schema.Struct({
  id: Schema.String,
  type: Schema.String,
  status: Schema.String,
  reason: Schema.optionalKey(Schema.String)
})
export type Resource = typeof Resource.Type

/**
 * What is really there.
 *
 * *Details*: `traffic` is the effective traffic, read back and not remembered. `reason` says why it is not ready, where that is
 * known. `fence` is the highest that a mutation has shown, where the provider remembers it. `operation` is what is in flight,
 * `foreign` where signalbox did not start it. `health` is that of each release that has capacity.
 */
export const Observation = Schema.Struct({
  status: Schema.Literals(["absent", "ready", "changing", "failed", "unknown"]),
  reason: Schema.optionalKey(Schema.String),
  fence: Schema.optionalKey(Schema.Int),
  stable: Schema.NullOr(Release),
  candidate: Schema.NullOr(Release),
  traffic: Schema.Array(TrafficShare),
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
  resources: Schema.Array(Resource),
  consoleUrl: Schema.optionalKey(Schema.String)
})
export type Observation = typeof Observation.Type

/**
 * Measurements of one release over one window.
 *
 * *Details*: latencies in milliseconds; `healthy` is that of the moment, not of the window; `latency` is null where there was no request; `samples` are at most 2,000 latencies
 * drawn evenly, where the provider can give them.
 */
export const Measurement = Schema.Struct({
  requests: Schema.Int,
  errors: Schema.Int,
  latency: Schema.NullOr(
    Schema.Struct({ mean: Schema.Finite, p50: Schema.Finite, p95: Schema.Finite, p99: Schema.Finite })
  ),
  healthy: Schema.NullOr(Percent),
  samples: Schema.optionalKey(Schema.Array(Schema.Finite))
})
export type Measurement = typeof Measurement.Type

/** A field that is not as it was deployed. */
export const Drift = Schema.Struct({
  field: Schema.String,
  expected: Schema.String,
  actual: Schema.String,
  /** Whether an execution may own this field while it runs: traffic weights, capacity. */
  owned: Schema.Boolean
})
export type Drift = typeof Drift.Type

/**
 * A provider.
 *
 * *Details*: the required operations answer for every stack; each optional group is there exactly where `capabilities`
 * declares it.
 *
 * - `plan` says what would change, finds a no-op, and takes the checkpoint; it changes nothing
 * - `stage` brings in `capacityPercent` of the candidate's capacity and waits until it is ready; no traffic yet, unless
 *   `capabilities.traffic` is `none`
 * - `observe` reads what is there
 * - `rollback` puts the stack back to a checkpoint: its traffic first, then its capacity; a checkpoint without a release
 *   means that the stack goes away. Also from the middle of any other operation
 * - `destroy` takes everything away; already gone is success
 * - `fence` refuses, from when it returns, every mutation of the place with a smaller fence, and fails with `Fenced` where a
 *   larger one was there. A runner calls it before anything else
 *
 * Two more help to find mistakes before anything is recorded; a provider may leave them out:
 *
 * - `checkRollback` fails where a rollback to the checkpoint cannot succeed as things are; it changes nothing
 * - `exclusive` lists what two stacks of one environment cannot both have. It only reads the properties
 *
 * `plan` and `checkRollback` are asked before a request is recorded: their `Invalid`, `Unsupported` and `Missing` refuse it.
 *
 * *Errors*: `ProviderError`; core repeats the retryable ones.
 */
export interface Provider {
  readonly kind: string
  readonly capabilities: Capabilities
  readonly properties: Schema.ConstraintDecoder<unknown>
  readonly plan: (ref: StackRef, candidate: Candidate) => Effect.Effect<StackPlan, ProviderError>
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
  readonly metrics?: Metrics
  readonly drift?: DriftControl
  readonly restart?: (ref: StackRef, mutation: Mutation) => Effect.Effect<Observation, ProviderError>
  readonly events?: ProviderEvents
  readonly checkRollback?: (ref: StackRef, checkpoint: Checkpoint) => Effect.Effect<void, ProviderError>
  readonly exclusive?: (ref: StackRef) => ReadonlyArray<Exclusive>
  readonly fence?: (place: PlaceRef, fence: number) => Effect.Effect<void, ProviderError>
}

/**
 * Something that a stack takes for itself alone, as a sentence names it (`port 8080`), and the property that asks for it.
 */
export interface Exclusive {
  readonly name: string
  readonly path: ReadonlyArray<string>
}

/**
 * Moving traffic between releases.
 *
 * *Details*: `shift` gives `percent` of the traffic to `releaseId` and the rest to the stable release (all of it to `releaseId`
 * where there is none and `percent` is above 0), and returns once the *effective* traffic, read back, is that. `retire`
 * drains every release but `keep` down to `capacityPercent` of its capacity (0 takes it away) and refuses with `Conflict`
 * one whose share of the traffic is larger than that; at 0, `keep` is the stable release from then on.
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

/** Measuring one release over the last `window`. */
export interface Metrics {
  readonly measure: (
    ref: StackRef,
    options: { readonly releaseId: string; readonly window: Duration.Duration }
  ) => Effect.Effect<Measurement, ProviderError>
}

/** Finding what was changed behind Signalbox, and putting it right. */
export interface DriftControl {
  readonly detect: (ref: StackRef) => Effect.Effect<ReadonlyArray<Drift>, ProviderError>
  /** Corrects the given fields and no others. */
  readonly correct: (
    ref: StackRef,
    fields: ReadonlyArray<string>,
    mutation: Mutation
  ) => Effect.Effect<Observation, ProviderError>
}

/**
 * What happened to one resource of a stack, as its platform tells it.
 *
 * *Details*: `id` is unique within the stack and always the same for the same event. `done` says that the resource is
 * finished, `failed` that it has failed.
 */
export const ProviderEvent = Schema.Struct({
  id: Schema.String,
  at: Timestamp,
  message: Schema.String,
  resource: Schema.optionalKey(Schema.String),
  resourceType: Schema.optionalKey(Schema.String),
  done: Schema.optionalKey(Schema.Boolean),
  failed: Schema.optionalKey(Schema.Boolean)
})
export type ProviderEvent = typeof ProviderEvent.Type

/**
 * Telling what happens to a stack.
 *
 * *Details*: `since` gives the events after `cursor`, oldest first. A cursor is that of an earlier answer, the `id` of an
 * event (those after it), or null: the oldest that there are. One that is not known any more counts as null: an event that
 * is told twice is harmless.
 */
export interface ProviderEvents {
  readonly since: (
    ref: StackRef,
    cursor: string | null
  ) => Effect.Effect<{ readonly events: ReadonlyArray<ProviderEvent>; readonly cursor: string | null }, ProviderError>
}
