/**
 * Closes an unfinished execution, by the one that replaces it.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../../domain/Environment.ts"
import { isFinished } from "../../domain/Execution.ts"
import { errorInfo } from "../../domain/errors/index.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import type { DeploymentStore, StreamState } from "../../spi/DeploymentStore.ts"
import { type Lease, type LeaseHeld, type LeaseLost, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { claimExecution, heldUntil } from "../lease/index.ts"
import { closureEvents, ExecutionLog } from "../log/index.ts"

/**
 * Ends an unfinished execution whose lease is over; returns whether there was anything to end.
 *
 * *Errors*: `LeaseHeld` if a runner is alive, `LeaseLost` if the lease that `by` holds is gone.
 */
export const supersede = Effect.fnUntraced(function* (
  id: CorrelationId,
  by: CorrelationId,
  environment: EnvironmentState | undefined,
  lock: Lease
): Effect.fn.Return<boolean, LeaseHeld | LeaseLost | StoreError, DeploymentStore | LeaseStore> {
  const leases = yield* LeaseStore
  const before = yield* heldUntil(id)
  const mine = yield* claimExecution(id, Duration.seconds(10))
  const at = yield* Clock.currentTimeMillis
  const error = errorInfo("superseded", { execution: id, by }, { remedies: [{ _tag: "attach", execution: by }] })
  const decide = ({ execution }: StreamState) =>
    Effect.succeed(
      execution === undefined || isFinished(execution)
        ? []
        : closureEvents(execution, environment, at, error).map((one) =>
            one.event._tag === "ExecutionTransitioned" ? { ...one, event: { ...one.event, ...before } } : one
          )
    )
  const written = yield* ExecutionLog.write(id, decide, [lock, mine]).pipe(
    Effect.catchTag("IllegalTransition", Effect.die),
    Effect.ensuring(Effect.ignore(leases.release(mine)))
  )
  return written.length > 0
})
