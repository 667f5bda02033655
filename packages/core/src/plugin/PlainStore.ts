/**
 * The lower tier of a store without Effect; see `EncodedDeploymentStore` and `EncodedLeaseStore` in core/store.
 */
import type { Abort } from "./Abort.ts"
import type { Lease } from "../spi/LeaseStore.ts"
import type {
  AppendOutcome,
  Commit,
  DeploymentRow,
  EnvironmentRow,
  EventRow,
  EventRowQuery,
  ExecutionRow,
  ExecutionRowQuery,
  StreamHead
} from "../store/Encoded.ts"
import type {
  DeliveryRow,
  DeliveryRowQuery,
  DueRowQuery,
  OutboxCommit,
  OutboxOutcome,
  OwedRow,
  OwedRowQuery
} from "../store/EncodedOutbox.ts"

/**
 * A database that can hold the event log and the leases.
 *
 * *Details*: `pulse` resolves when another process may have written, or after a while of the store's choice; it is
 * called again at once. `close` ends what the store holds open.
 *
 * *Errors*: a store fails by rejecting with an error that has a `reason` of `StoreError` and a `detail`; only
 * `Unavailable` is retryable. Any other error counts as `Unexpected`.
 */
export interface PlainStore {
  readonly head: (stream: string, after: number) => Promise<StreamHead>
  readonly commit: (commit: Commit) => Promise<AppendOutcome>
  readonly events: (query: EventRowQuery) => Promise<ReadonlyArray<EventRow>>
  readonly execution: (stream: string) => Promise<ExecutionRow | undefined>
  readonly executions: (query: ExecutionRowQuery) => Promise<ReadonlyArray<ExecutionRow>>
  readonly deployment: (id: string) => Promise<DeploymentRow | undefined>
  readonly deployments: () => Promise<ReadonlyArray<DeploymentRow>>
  readonly environment: (id: string, environment: string) => Promise<EnvironmentRow | undefined>
  readonly environments: (id: string) => Promise<ReadonlyArray<EnvironmentRow>>
  readonly newest: () => Promise<number>
  readonly pulse: (signal: Abort) => Promise<void>
  readonly prune: (before: number, limit: number) => Promise<number>
  readonly lease: (key: string) => Promise<{ readonly lease: Lease | undefined; readonly now: number }>
  readonly leases: () => Promise<{ readonly leases: ReadonlyArray<Lease>; readonly now: number }>
  readonly swap: (before: Lease | undefined, after: Lease) => Promise<boolean>
  readonly outbox?: PlainOutbox
  readonly close?: () => Promise<void>
}

/** The outbox of a store, without which it cannot be used with notifications; see `EncodedOutbox` in core/store. */
export interface PlainOutbox {
  readonly owed: (query: OwedRowQuery) => Promise<ReadonlyArray<OwedRow>>
  readonly mark: (stream: string) => Promise<OwedRow | undefined>
  readonly due: (query: DueRowQuery) => Promise<ReadonlyArray<DeliveryRow>>
  readonly deliveries: (query: DeliveryRowQuery) => Promise<ReadonlyArray<DeliveryRow>>
  readonly commit: (commit: OutboxCommit) => Promise<OutboxOutcome>
}
