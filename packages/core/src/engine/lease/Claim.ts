import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { CorrelationId } from "../../domain/Ids.ts"
import { type Lease, type LeaseHeld, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { executionClaimKey } from "../../spi/LeaseKey.ts"
import { RunnerIdentity, uniqueOwner } from "./RunnerIdentity.ts"

const coming = "coming"

/**
 * Whether a claim belongs to a runner, and not to a request whose runner is still starting.
 */
export const isRunnerClaim = ({ holder }: Lease): boolean => holder !== coming

/**
 * Claims the right to run an execution. The claim of a runner that is known to be dead is taken over at once.
 *
 * *Errors*: `LeaseHeld` while another runner is (or may be) alive.
 */
export const claimExecution = Effect.fnUntraced(function* (
  id: CorrelationId,
  ttl: Duration.Duration
): Effect.fn.Return<Lease, LeaseHeld | StoreError, LeaseStore> {
  const leases = yield* LeaseStore
  const { isDead, owner } = yield* RunnerIdentity
  const options = { key: executionClaimKey(id), holder: yield* uniqueOwner, owner, ttl }
  return yield* Effect.catchTag(leases.acquire(options), "LeaseHeld", (held) =>
    isDead(held.lease.owner) || !isRunnerClaim(held.lease)
      ? leases.acquire({ ...options, evict: held.lease.fence })
      : Effect.fail(held)
  )
})

/**
 * Until when the claim of a runner that did not return it is, or was, held; undefined if there is none.
 *
 * *When to use*: before the claim is taken over, to find out how long that runner lived.
 */
export const heldUntil = Effect.fnUntraced(function* (
  id: CorrelationId
): Effect.fn.Return<{ readonly heldUntil?: number }, StoreError, LeaseStore> {
  const leases = yield* LeaseStore
  const lease = yield* leases.get(executionClaimKey(id))
  return lease === undefined || lease.expiresAt === 0 || !isRunnerClaim(lease) ? {} : { heldUntil: lease.expiresAt }
})

/**
 * Records that the runner of a request is starting, so that its queue position counts from the moment of the request.
 * Harmless if it has a runner.
 */
export const reserveClaim = Effect.fnUntraced(function* (
  id: CorrelationId,
  ttl: Duration.Duration
): Effect.fn.Return<void, StoreError, LeaseStore> {
  const leases = yield* LeaseStore
  const { owner } = yield* RunnerIdentity
  yield* leases
    .acquire({ key: executionClaimKey(id), holder: coming, owner, ttl })
    .pipe(Effect.catchTag("LeaseHeld", () => Effect.void))
})
