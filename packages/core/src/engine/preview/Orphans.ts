/**
 * What a provider still has, and this store does not know.
 */
import * as Effect from "effect/Effect"
import type { DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { environmentLeaseKey } from "../../spi/LeaseKey.ts"

/**
 * An environment as a provider remembers it: `fence` is the highest that a mutation has shown.
 */
export interface Remembered {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly fence: number
}

/**
 * Whether an environment belongs to another store: this one does not know the deployment, or never issued that fence.
 */
export const isUnknown = Effect.fnUntraced(function* ({
  deploymentId,
  environment,
  fence
}: Remembered): Effect.fn.Return<boolean, StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  if ((yield* store.deployment(deploymentId)) === undefined) return true
  const lease = yield* (yield* LeaseStore).get(environmentLeaseKey(deploymentId, environment))
  return (lease?.fence ?? 0) < fence
})
