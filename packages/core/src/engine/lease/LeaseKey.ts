import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { CorrelationId, DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import { type Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"

/** The key under which executions of one deployment in one environment exclude each other. */
export const environmentLeaseKey = (deploymentId: DeploymentId, environment: EnvironmentName): string =>
  `lock/${deploymentId}/${environment}`

/** The current lease, if it has a holder and is not over. */
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

/** The key of the claim to run one execution. */
export const executionClaimKey = (id: CorrelationId): string => `execution/${id}`
