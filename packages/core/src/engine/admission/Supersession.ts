/**
 * Closing what was left unfinished, by whoever takes its place.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../../domain/Environment.ts"
import { isFinished } from "../../domain/Execution.ts"
import { errorInfo } from "../../domain/errors/index.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { type Lease, type LeaseHeld, type LeaseLost, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { claimExecution, heldUntil } from "../lease/index.ts"
import { closureEvents } from "../log/index.ts"

/**
 * Ends an execution that was left unfinished and whose lease is over; returns whether there was anything to end.
 *
 * *Errors*: `LeaseHeld` where somebody still runs it, `LeaseLost` where the lock that `by` holds is gone.
 */
export const supersede = Effect.fnUntraced(function* (
  id: CorrelationId,
  by: CorrelationId,
  environment: EnvironmentState | undefined,
  lock: Lease
): Effect.fn.Return<boolean, LeaseHeld | LeaseLost | StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  const before = yield* heldUntil(id)
  const mine = yield* claimExecution(id, Duration.seconds(10))
  const state = yield* store.execution(id)
  if (state === undefined || isFinished(state)) {
    yield* Effect.ignore(leases.release(mine))
    return false
  }
  const at = yield* Clock.currentTimeMillis
  const closed = closureEvents(
    state,
    environment,
    at,
    errorInfo("superseded", { execution: id, by }, { remedies: [{ _tag: "attach", execution: by }] })
  )
  const events = closed.map((one) =>
    one.event._tag === "ExecutionTransitioned" ? { ...one, event: { ...one.event, ...before } } : one
  )
  yield* store
    .append({ stream: id, events, guards: [lock, mine] })
    .pipe(
      Effect.catchTag(["SequenceConflict", "IllegalTransition"], Effect.die),
      Effect.ensuring(Effect.ignore(leases.release(mine)))
    )
  return true
})
