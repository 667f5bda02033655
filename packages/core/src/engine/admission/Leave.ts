import * as Effect from "effect/Effect"
import type { CorrelationId } from "../../domain/Ids.ts"
import type { ErrorInfo } from "../../domain/errors/index.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { withdraw } from "./Admission.ts"

/**
 * Abandons a recorded request that will not be executed here: withdraws it if it is queued, otherwise returns the lease
 * under which it was recorded.
 */
export const leave = Effect.fnUntraced(function* (
  id: CorrelationId,
  why: ErrorInfo
): Effect.fn.Return<void, StoreError, DeploymentStore | LeaseStore> {
  if (yield* withdraw(id, why)) return
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  const [acquired] = yield* store.events({ stream: id, tags: ["LeaseAcquired"], limit: 1 })
  if (acquired?.event._tag !== "LeaseAcquired") return
  const lease = yield* leases.get(acquired.event.key)
  if (lease?.fence === acquired.event.fence) yield* leases.release(lease)
})
