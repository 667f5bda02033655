import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { DeploymentStore } from "../spi/DeploymentStore.ts"
import { LeaseStore } from "../spi/LeaseStore.ts"
import { makeDeploymentStore } from "./DeploymentStore.ts"
import type { Encoded } from "./Encoded.ts"
import { makeLeaseStore } from "./LeaseStore.ts"

/**
 * Creates both typed stores over one encoded store.
 */
export const layerEncoded = <E, R>(
  encoded: Effect.Effect<Encoded, E, R>
): Layer.Layer<DeploymentStore | LeaseStore, E, Exclude<R, Scope.Scope>> =>
  Layer.effectContext(
    Effect.gen(function* () {
      const { deployments, leases, outbox } = yield* encoded
      return Context.make(DeploymentStore, yield* makeDeploymentStore(deployments, outbox)).pipe(
        Context.add(LeaseStore, makeLeaseStore(leases))
      )
    })
  )
