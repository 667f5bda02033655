import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { CorrelationId } from "../domain/Ids.ts"
import { type Lease, type LeaseHeld, LeaseStore } from "../spi/LeaseStore.ts"
import type { StoreError } from "../spi/StoreError.ts"
import { claimKey } from "./LockKey.ts"
import { RunnerIdentity, uniqueOwner } from "./RunnerIdentity.ts"

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
  const options = { key: claimKey(id), holder: yield* uniqueOwner, owner, ttl }
  return yield* Effect.catchTag(leases.acquire(options), "LeaseHeld", (held) =>
    isDead(held.lease.owner) ? leases.acquire({ ...options, evict: held.lease.fence }) : Effect.fail(held)
  )
})
