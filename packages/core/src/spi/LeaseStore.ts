/**
 * The port of leases: the exclusive right to a key, for a limited time, with a token that only grows.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Timestamp } from "../domain/Ids.ts"
import { type ErrorInfo, errorInfo } from "../domain/errors/index.ts"
import { StoreError } from "./StoreError.ts"

/** What a lease is held for: the kind of an execution or `revoke`, `cleanup`, and who asked for it. */
export const LeasePurpose = Schema.Struct({
  kind: Schema.String,
  by: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "LeasePurpose" })
export type LeasePurpose = typeof LeasePurpose.Type

/**
 * A lease as the store has it.
 *
 * *Details*: `holder` is what it is held for (a correlation id), `owner` who acts for it (a process). `fence` is larger
 * than every earlier fence of `key`. It is kept after release, so that the fence keeps growing; `expiresAt` is then 0.
 * Times use the caller's clock; the store's clock decides expiry.
 */
export const Lease = Schema.Struct({
  key: Schema.String,
  holder: Schema.String,
  owner: Schema.String,
  fence: Schema.Int,
  acquiredAt: Timestamp,
  expiresAt: Timestamp,
  purpose: Schema.optionalKey(LeasePurpose)
})
export type Lease = typeof Lease.Type

/**
 * Another execution or process holds the lease.
 *
 * *Errors*: retryable once `lease.expiresAt` is over.
 */
export class LeaseHeld extends Schema.TaggedError<LeaseHeld>()("LeaseHeld", { lease: Lease }) {
  override get message(): string {
    return `${this.lease.key} is held by ${this.lease.holder}`
  }
}

/**
 * The lease was lost: it expired or was taken over. The caller must stop at once.
 *
 * *Details*: `outage` is set if it expired because the store was unavailable for longer than the lease lasts.
 *
 * *Errors*: not retryable under this lease. After an outage, the same work can continue under a new one.
 */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  key: Schema.String,
  fence: Schema.Int,
  outage: Schema.optionalKey(StoreError)
}) {
  override get message(): string {
    return this.outage === undefined
      ? `the lease on ${this.key} (token ${this.fence}) was lost`
      : `the lease could not be renewed in time, and the work under it was stopped: ${this.outage.message}`
  }

  get info(): ErrorInfo {
    return this.outage === undefined
      ? errorInfo("lease_lost", { key: this.key, fence: this.fence }, { remedies: [{ _tag: "active" }] })
      : errorInfo("lease_expired", {}, { detail: this.outage.message, remedies: [{ _tag: "active" }] })
  }
}

/**
 * Leases.
 *
 * *Details*:
 * - `acquire` succeeds if the key is free, expired, held by the same `holder` and `owner`, held by the same `holder`
 *   with `sameHolder`, or if `evict` names the fence of the current lease (its owner is known to be dead). Each success
 *   raises the fence
 * - `renew` prolongs by `ttl` from now and leaves the fence
 * - `release` is harmless if the lease is no longer held
 * - `check` tells whether exactly this lease is still held
 */
export class LeaseStore extends Context.Service<
  LeaseStore,
  {
    readonly acquire: (options: {
      readonly key: string
      readonly holder: string
      readonly owner: string
      readonly ttl: Duration.Duration
      readonly sameHolder?: boolean
      readonly evict?: number
      readonly purpose?: LeasePurpose
    }) => Effect.Effect<Lease, LeaseHeld | StoreError>
    readonly renew: (lease: Lease, ttl: Duration.Duration) => Effect.Effect<Lease, LeaseLost | StoreError>
    readonly release: (lease: Lease) => Effect.Effect<void, StoreError>
    readonly check: (lease: Lease) => Effect.Effect<void, LeaseLost | StoreError>
    readonly get: (key: string) => Effect.Effect<Lease | undefined, StoreError>
    readonly list: Effect.Effect<ReadonlyArray<Lease>, StoreError>
  }
>()("@signalbox/core/spi/LeaseStore") {}
