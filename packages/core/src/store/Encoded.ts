/**
 * The lower of the two tiers of a store: rows of plain values and conditional writes. An adapter for another database
 * implements these two contracts; `DeploymentStore` and `LeaseStore` in this folder add schemas, folding and retries.
 */
import type * as Effect from "effect/Effect"
import type * as Stream from "effect/Stream"
import type { Lease } from "../spi/LeaseStore.ts"
import type { StoreError } from "../spi/StoreError.ts"
import type { EncodedOutbox } from "./EncodedOutbox.ts"

export type * from "./EncodedOutbox.ts"

/** One event. `body` is its JSON. */
export interface EventRow {
  readonly stream: string
  readonly seq: number
  readonly position: number
  readonly id: string
  readonly at: number
  readonly tag: string
  readonly deploymentId: string
  readonly environment: string | null
  readonly body: string
}

/** An event without its place in the log. */
export type NewEventRow = Omit<EventRow, "position">

/**
 * The state of one execution. `search` holds, in lower case, the fields that `text` searches; `state` is JSON. `generation`
 * is the one of the process that wrote the row.
 */
export interface ExecutionRow {
  readonly stream: string
  readonly deploymentId: string
  readonly environment: string
  readonly kind: string
  readonly status: string
  readonly finished: boolean
  readonly requestedAt: number
  readonly search: string
  readonly generation: number
  readonly state: string
}

/** The state of one environment. `version` grows by one with each write. */
export interface EnvironmentRow {
  readonly deploymentId: string
  readonly environment: string
  readonly version: number
  readonly generation: number
  readonly state: string
}

/** One deployment. */
export interface DeploymentRow {
  readonly deploymentId: string
  readonly createdAt: number
  readonly generation: number
  readonly state: string
}

/**
 * The known state of a stream.
 *
 * *Details*: `seq` and `ids` must be read no later than the states: a state may be newer than `seq`, never older.
 */
export interface StreamHead {
  /** The sequence number of the last event, 0 if there is none. */
  readonly seq: number
  /** The ids of the events after the requested `after`; all of them if the stream does not reach back to `after`. */
  readonly ids: ReadonlyArray<string>
  /** Whether event number `after` exists (true for 0). */
  readonly continues: boolean
  readonly execution: ExecutionRow | undefined
  readonly deployment: DeploymentRow | undefined
}

/**
 * One atomic write.
 *
 * *Details*: it succeeds if the last event of `stream` is number `base` (0: no event), every guard is held now, and
 * `environment`, if given, replaces the row whose version is one less (0: no row). Without events, only the guards are
 * checked.
 */
export interface Commit {
  readonly stream: string
  readonly base: number
  readonly events: ReadonlyArray<NewEventRow>
  readonly guards: ReadonlyArray<Lease>
  readonly execution?: ExecutionRow
  readonly environment?: EnvironmentRow
  readonly deployment?: DeploymentRow
  /** Notifications are owed of the stream up to `seq`: part of the same transaction. */
  readonly owed?: { readonly deploymentId: string; readonly seq: number; readonly at: number }
}

/** The result of a write; `Stale` if `base` or the version of the environment did not match. */
export type AppendOutcome =
  | { readonly _tag: "Committed"; readonly positions: ReadonlyArray<number> }
  | { readonly _tag: "Stale" }
  | { readonly _tag: "Lost"; readonly guard: Lease }

/** Which events to read, by ascending position. `text` must occur in `body`. */
export interface EventRowQuery {
  readonly stream: string | undefined
  readonly deploymentId: string | undefined
  readonly environment: string | undefined
  readonly tags: ReadonlyArray<string> | undefined
  readonly text: string | undefined
  readonly since: number | undefined
  readonly until: number | undefined
  readonly after: number
  readonly limit: number
}

/** Which executions to read, by descending `requestedAt`, then `stream`. */
export interface ExecutionRowQuery {
  readonly deploymentId: string | undefined
  readonly environment: string | undefined
  readonly statuses: ReadonlyArray<string> | undefined
  readonly kinds: ReadonlyArray<string> | undefined
  readonly finished: boolean | undefined
  readonly text: string | undefined
  readonly since: number | undefined
  readonly until: number | undefined
  readonly before: { readonly requestedAt: number; readonly stream: string } | undefined
  readonly limit: number
}

/**
 * A database that can hold the event log.
 *
 * *Details*: `position` grows with every write and is never reused. `events` without a `stream`, and `newest`, stop
 * where an event with a smaller position can still appear. `pulses` emits once when it is ready and then whenever
 * another process may have written; this process's own writes need no pulse. `prune` deletes at most `limit` finished
 * executions and returns how many.
 */
export interface EncodedDeploymentStore {
  readonly head: (stream: string, after: number) => Effect.Effect<StreamHead, StoreError>
  readonly commit: (commit: Commit) => Effect.Effect<AppendOutcome, StoreError>
  readonly events: (query: EventRowQuery) => Effect.Effect<ReadonlyArray<EventRow>, StoreError>
  readonly execution: (stream: string) => Effect.Effect<ExecutionRow | undefined, StoreError>
  readonly executions: (query: ExecutionRowQuery) => Effect.Effect<ReadonlyArray<ExecutionRow>, StoreError>
  readonly deployment: (id: string) => Effect.Effect<DeploymentRow | undefined, StoreError>
  readonly deployments: Effect.Effect<ReadonlyArray<DeploymentRow>, StoreError>
  readonly environment: (id: string, environment: string) => Effect.Effect<EnvironmentRow | undefined, StoreError>
  readonly environments: (id: string) => Effect.Effect<ReadonlyArray<EnvironmentRow>, StoreError>
  readonly newest: Effect.Effect<number, StoreError>
  readonly pulses: Stream.Stream<void, StoreError>
  readonly prune: (before: number, limit: number) => Effect.Effect<number, StoreError>
}

/**
 * A database that can hold leases.
 *
 * *Details*: `now` is the clock that decides expiry: the database's if hosts may disagree. `swap` writes `after` only
 * if the row still matches `before` (same fence and expiry; undefined: no row) and tells whether it did.
 */
export interface EncodedLeaseStore {
  readonly get: (key: string) => Effect.Effect<{ readonly lease: Lease | undefined; readonly now: number }, StoreError>
  readonly list: Effect.Effect<{ readonly leases: ReadonlyArray<Lease>; readonly now: number }, StoreError>
  readonly swap: (before: Lease | undefined, after: Lease) => Effect.Effect<boolean, StoreError>
}

/** All, over one database. */
export interface Encoded {
  readonly deployments: EncodedDeploymentStore
  readonly leases: EncodedLeaseStore
  /** Absent in a store that cannot be used with notifications. */
  readonly outbox?: EncodedOutbox
}
