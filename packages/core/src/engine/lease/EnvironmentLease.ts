import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ExecutionState } from "../../domain/ExecutionState.ts"
import { environmentLeaseKey } from "../../spi/LeaseKey.ts"
import { type Lease, type LeaseHeld, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"

/** A lease, and when it was asked for, by the clock of this computer. */
export interface AcquiredLease {
  readonly lease: Lease
  readonly asked: number
}

/**
 * Acquires the lease of an environment for an execution. With `sameHolder`, another owner may acquire what this execution
 * holds already.
 */
export const acquireEnvironmentLease = Effect.fnUntraced(function* (
  execution: Pick<ExecutionState, "by" | "correlationId" | "deploymentId" | "environment" | "kind">,
  options: { readonly owner: string; readonly ttl: Duration.Duration; readonly sameHolder?: boolean }
): Effect.fn.Return<AcquiredLease, LeaseHeld | StoreError, LeaseStore> {
  const leases = yield* LeaseStore
  const asked = yield* Clock.currentTimeMillis
  const lease = yield* leases.acquire({
    key: environmentLeaseKey(execution.deploymentId, execution.environment),
    holder: execution.correlationId,
    purpose: { kind: execution.kind, by: execution.by },
    ...options
  })
  return { lease, asked }
})
