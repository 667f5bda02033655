import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import { environmentLeaseKey } from "../../spi/LeaseKey.ts"
import { type Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"

/** The current lease of an environment, if it has a holder and is not over. */
export const currentLease = Effect.fnUntraced(function* (
  deploymentId: DeploymentId,
  environment: EnvironmentName
): Effect.fn.Return<Lease | undefined, StoreError, LeaseStore> {
  const leases = yield* LeaseStore
  const lease = yield* leases.get(environmentLeaseKey(deploymentId, environment))
  const now = yield* Clock.currentTimeMillis
  return lease === undefined || lease.expiresAt <= now ? undefined : lease
})

/** Whether a lease that was read is held; the store's clock decides whether it is over. */
export const isLeaseHeld = (lease: Lease): Effect.Effect<boolean, StoreError, LeaseStore> =>
  Effect.flatMap(LeaseStore, (leases) => leases.check(lease)).pipe(
    Effect.as(true),
    Effect.catchTag("LeaseLost", () => Effect.succeed(false))
  )
