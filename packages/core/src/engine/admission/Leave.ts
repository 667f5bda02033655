import * as Effect from "effect/Effect"
import type { CorrelationId } from "../../domain/Ids.ts"
import type { ErrorInfo } from "../../domain/errors/index.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { withdraw } from "./Admission.ts"

/**
 * Leaves a request alone that was recorded and will not be carried out here: withdraws it where it is queued, else gives back
 * the lease under which it was recorded.
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
