/**
 * The lower tier of the outbox: what is owed, and deliveries, as rows of plain values.
 */
import type * as Effect from "effect/Effect"
import type { Lease } from "../spi/LeaseStore.ts"
import type { StoreError } from "../spi/StoreError.ts"

/**
 * What is owed of one stream: its events after `mark` up to `seq` are not planned yet, since `at`.
 */
export interface OwedRow {
  readonly stream: string
  readonly deploymentId: string
  readonly seq: number
  readonly mark: number
  readonly at: number
}

/**
 * One delivery. `body`, `receipt` and `error` are JSON; `nextAt` is when something has to be done about it, 0 if nothing:
 * it has ended, or stands behind another one.
 */
export interface DeliveryRow {
  readonly id: string
  readonly stream: string
  readonly deploymentId: string
  readonly seq: number
  readonly channel: string
  readonly kind: string
  readonly status: string
  readonly attempts: number
  readonly nextAt: number
  readonly createdAt: number
  readonly updatedAt: number
  readonly body: string
  readonly receipt: string | null
  readonly error: string | null
}

/**
 * One atomic write: it succeeds if every guard is held now and the mark of the stream is still `mark.from`. Rows of
 * deliveries replace others with the same id.
 */
export interface OutboxCommit {
  readonly guards: ReadonlyArray<Lease>
  readonly mark?: { readonly stream: string; readonly from: number; readonly to: number }
  readonly deliveries: ReadonlyArray<DeliveryRow>
}

/** The result of such a write. */
export type OutboxOutcome = "Committed" | "Stale" | "Lost"

/** What has to be done: of one deployment, or of all. */
export interface OwedRowQuery {
  readonly deploymentId?: string | undefined
  readonly limit: number
}

/** Which deliveries are due: their `nextAt` is at most `until`, and their channel one of `channels`, if given. */
export interface DueRowQuery extends OwedRowQuery {
  readonly until: number
  readonly statuses?: ReadonlyArray<string> | undefined
  readonly channels?: ReadonlyArray<string> | undefined
}

/** Which deliveries to read, by `createdAt`, then `seq`, then `id`: the oldest first, or the newest. */
export interface DeliveryRowQuery {
  readonly id?: string | undefined
  readonly deploymentId?: string | undefined
  readonly stream?: string | undefined
  readonly channel?: string | undefined
  readonly statuses?: ReadonlyArray<string> | undefined
  readonly newestFirst?: boolean | undefined
  readonly limit: number
}

/**
 * A database that can hold the outbox.
 *
 * *Details*: `owed` returns the streams with debts, the oldest first, and `due` deliveries, the earliest first.
 * Every read uses an index.
 */
export interface EncodedOutbox {
  readonly owed: (query: OwedRowQuery) => Effect.Effect<ReadonlyArray<OwedRow>, StoreError>
  readonly mark: (stream: string) => Effect.Effect<OwedRow | undefined, StoreError>
  readonly due: (query: DueRowQuery) => Effect.Effect<ReadonlyArray<DeliveryRow>, StoreError>
  readonly deliveries: (query: DeliveryRowQuery) => Effect.Effect<ReadonlyArray<DeliveryRow>, StoreError>
  readonly commit: (commit: OutboxCommit) => Effect.Effect<OutboxOutcome, StoreError>
}
