/**
 * The outbox: what is owed of each stream, and deliveries to channels. A part of the store.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Timestamp } from "../domain/Ids.ts"
import { ErrorInfo } from "../domain/errors/index.ts"
import { Message } from "../domain/notification/index.ts"
import type { Lease, LeaseLost } from "./LeaseStore.ts"
import { Receipt } from "./Notifier.ts"
import type { StoreError } from "./StoreError.ts"

/**
 * What became of a delivery.
 *
 * *Details*: `scheduled` until its time has come (escalations, coalesced progress), then `queued`; `sent`; `folded` into
 * a summary or a later one, because it was no longer true; `dead` after the last attempt; `acknowledged` before it was sent.
 */
export const DeliveryStatus = Schema.Literals(["scheduled", "queued", "sent", "folded", "dead", "acknowledged"])
export type DeliveryStatus = typeof DeliveryStatus.Type

/**
 * A delivery on record.
 *
 * *Details*: `id` follows from stream, event, kind and channel. `nextAt` is when something has to be done about it, 0 if it
 * has ended or stands behind another one of its stream and channel. `why` names the route or the rule that it follows from.
 */
export const DeliveryState = Schema.Struct({
  id: Schema.String,
  stream: Schema.String,
  deploymentId: Schema.String,
  seq: Schema.Int,
  channel: Schema.String,
  status: DeliveryStatus,
  attempts: Schema.Int,
  nextAt: Timestamp,
  createdAt: Timestamp,
  updatedAt: Timestamp,
  why: Schema.String,
  message: Message,
  receipt: Schema.NullOr(Receipt),
  error: Schema.NullOr(ErrorInfo)
})
export type DeliveryState = typeof DeliveryState.Type

/** What is owed of one stream: its events after `mark` up to `seq` are not planned yet, since `at`. */
export interface Owed {
  readonly stream: string
  readonly deploymentId: string
  readonly seq: number
  readonly mark: number
  readonly at: Timestamp
}

/** What has to be done: of one deployment, or of all in the store. */
export interface OwedQuery {
  readonly deploymentId?: string | undefined
  readonly limit: number
}

/** Which deliveries are due: their `nextAt` is at most `until`, and their channel and status among the given ones. */
export interface DueQuery extends OwedQuery {
  readonly until: Timestamp
  readonly statuses?: ReadonlyArray<DeliveryStatus> | undefined
  readonly channels?: ReadonlyArray<string> | undefined
}

/** Which deliveries to read, by the time of their planning. `limit` is 1–10,000 (default 1,000). */
export interface DeliveryQuery {
  readonly id?: string
  readonly deploymentId?: string | undefined
  readonly stream?: string
  readonly channel?: string
  readonly statuses?: ReadonlyArray<DeliveryStatus>
  readonly newestFirst?: boolean
  readonly limit?: number
}

/**
 * The outbox of a store.
 *
 * *Details*: `write` is one guarded write of deliveries and the mark; it answers `Stale` if the mark is not at `from` any
 * more.
 */
export interface Outbox {
  readonly owed: (query: OwedQuery) => Effect.Effect<ReadonlyArray<Owed>, StoreError>
  readonly mark: (stream: string) => Effect.Effect<Owed | undefined, StoreError>
  readonly due: (query: DueQuery) => Effect.Effect<ReadonlyArray<DeliveryState>, StoreError>
  readonly deliveries: (query: DeliveryQuery) => Effect.Effect<ReadonlyArray<DeliveryState>, StoreError>
  readonly write: (write: {
    readonly guards: ReadonlyArray<Lease>
    readonly mark?: { readonly stream: string; readonly from: number; readonly to: number }
    readonly deliveries: ReadonlyArray<DeliveryState>
  }) => Effect.Effect<"Committed" | "Stale", LeaseLost | StoreError>
}
