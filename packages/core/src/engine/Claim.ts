import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { CorrelationId } from "../domain/Ids.ts"
import { type Lease, type LeaseHeld, LeaseStore } from "../spi/LeaseStore.ts"
import type { StoreError } from "../spi/StoreError.ts"
import { claimKey } from "./LockKey.ts"
import { RunnerIdentity } from "./RunnerIdentity.ts"

/**
 * Claims the right to run an execution. The claim of a runner that is known to be dead is taken over at once.
 *
 * *Errors*: `LeaseHeld` while another runner is (or may be) alive.
 *
 * @since 0.1.0
 */
export const claim = Effect.fnUntraced(function* (
  id: CorrelationId,
  ttl: Duration.Duration
): Effect.fn.Return<Lease, LeaseHeld | StoreError, LeaseStore> {
  const leases = yield* LeaseStore
  const { isDead, owner } = yield* RunnerIdentity
  // Each run is a holder of its own: two of them in one process exclude each other like two processes.
  const holder = `${owner}/${yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)}`
  const options = { key: claimKey(id), holder, owner, ttl }
  return yield* Effect.catchTag(leases.acquire(options), "LeaseHeld", (held) =>
    isDead(held.lease.owner) ? leases.acquire({ ...options, evict: held.lease.fence }) : Effect.fail(held)
  )
})
