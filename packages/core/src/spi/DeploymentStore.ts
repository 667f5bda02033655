/**
 * The port of the event log and of the states folded from it.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { Deployment, EnvironmentState } from "../domain/Environment.ts"
import type { EventTag, NewEvent, StoredEvent } from "../domain/Event.ts"
import type { ExecutionState } from "../domain/Execution.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, Timestamp } from "../domain/Ids.ts"
import type { IllegalTransition } from "../domain/Illegal.ts"
import type { ExecutionKind, ExecutionStatus } from "../domain/Machines.ts"
import type { Lease, LeaseLost } from "./LeaseStore.ts"
import type { Outbox } from "./Outbox.ts"
import type { StoreError } from "./StoreError.ts"

/**
 * The stream already exists, or advanced since `expected` was read.
 *
 * *Errors*: retryable after reading again.
 */
export class SequenceConflict extends Schema.TaggedError<SequenceConflict>()("SequenceConflict", {
  stream: Schema.String,
  expected: Schema.Int,
  actual: Schema.Int
}) {}

/**
 * An atomic append.
 *
 * *Details*: `expected` is the sequence number that the stream must have (0: must not exist); without it, the events
 * are appended whatever came in between. `guards` are leases that must be held at the moment of the write. Events whose
 * `id` the stream already has are left out.
 */
export interface Append {
  readonly stream: string
  readonly events: ReadonlyArray<NewEvent>
  readonly expected?: number
  readonly guards?: ReadonlyArray<Lease>
  /** Whether notifications follow from the events: then they are owed from this write on. */
  readonly owes?: boolean
}

/**
 * A stream, and the states folded from it.
 *
 * *Details*: `seq` is the number of its last event, 0 if there is none; the states are at least as new.
 */
export interface StreamState {
  readonly seq: number
  readonly execution: ExecutionState | undefined
  readonly deployment: Deployment | undefined
}

/**
 * Which events to read, oldest first. `limit` is 1–10,000 (default 1,000).
 *
 * *Details*: `text` matches anywhere in the event, case-insensitively.
 */
export interface EventQuery {
  readonly stream?: string
  readonly deploymentId?: DeploymentId
  readonly environment?: EnvironmentName
  readonly tags?: ReadonlyArray<EventTag>
  readonly text?: string
  readonly since?: Timestamp
  readonly until?: Timestamp
  /** Events whose `position` is greater. */
  readonly after?: number
  readonly limit?: number
}

/**
 * Which executions to read, latest first. `limit` is 1–1,000 (default 50); `cursor` comes from the page before.
 *
 * *Details*: `text` matches correlation id, version, actor, reason, commit, workflow run or wrapped command,
 * case-insensitively; `finished: false` finds unfinished ones; `since` and `until` bound the time of the request.
 */
export interface ExecutionQuery {
  readonly deploymentId?: DeploymentId
  readonly environment?: EnvironmentName
  readonly statuses?: ReadonlyArray<ExecutionStatus>
  readonly kinds?: ReadonlyArray<ExecutionKind>
  readonly finished?: boolean
  readonly text?: string
  readonly since?: Timestamp
  readonly until?: Timestamp
  readonly cursor?: string
  readonly limit?: number
}

/** One page; `next` is the cursor of the one after it, absent on the last. */
export interface Page<A> {
  readonly items: ReadonlyArray<A>
  readonly next?: string
}

/**
 * The event log, and the states folded from it in the same transaction.
 *
 * *Details*: `append` folds the events into the states before it writes, so that an illegal transition cannot be
 * written; it returns the new events. `changes` pulses (at least) whenever something was appended, by this process or
 * another. A pulse carries nothing, so an extra one is harmless.
 */
export class DeploymentStore extends Context.Service<
  DeploymentStore,
  {
    readonly append: (
      append: Append
    ) => Effect.Effect<ReadonlyArray<StoredEvent>, SequenceConflict | LeaseLost | IllegalTransition | StoreError>
    /**
     * The basis of a decision on a stream: `append` with its `seq` as `expected` succeeds only if it is still current.
     */
    readonly stream: (stream: string) => Effect.Effect<StreamState, StoreError>
    readonly events: (query: EventQuery) => Effect.Effect<ReadonlyArray<StoredEvent>, StoreError>
    readonly execution: (id: CorrelationId) => Effect.Effect<ExecutionState | undefined, StoreError>
    readonly executions: (query: ExecutionQuery) => Effect.Effect<Page<ExecutionState>, StoreError>
    readonly deployment: (id: DeploymentId) => Effect.Effect<Deployment | undefined, StoreError>
    readonly deployments: Effect.Effect<ReadonlyArray<Deployment>, StoreError>
    readonly environment: (
      id: DeploymentId,
      environment: EnvironmentName
    ) => Effect.Effect<EnvironmentState | undefined, StoreError>
    readonly environments: (id: DeploymentId) => Effect.Effect<ReadonlyArray<EnvironmentState>, StoreError>
    /** The position of the newest event, 0 if there is none. */
    readonly head: Effect.Effect<number, StoreError>
    readonly changes: Stream.Stream<void, StoreError>
    readonly outbox: Outbox
    /** Deletes finished executions that were requested before a time, with their events; returns how many. */
    readonly prune: (before: Timestamp) => Effect.Effect<number, StoreError>
  }
>()("@signalbox/core/spi/DeploymentStore") {}
