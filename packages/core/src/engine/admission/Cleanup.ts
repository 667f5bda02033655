/**
 * Returns everything that a correlation id holds, from any process, any number of times.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isFinished, mayHaveCommand } from "../../domain/Execution.ts"
import { errorInfo } from "../../domain/errors/index.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { DeploymentStore, type StreamState } from "../../spi/DeploymentStore.ts"
import { type Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { closureEvents, ExecutionLog } from "../log/index.ts"
import { claimExecution, currentLease } from "../lease/index.ts"
import type { CleanupResult } from "../../api/QueueStatus.ts"
import { reject, type Rejected } from "../../api/Rejected.ts"
import { reportedOutcomeEvents, type ReportedOutcome } from "./ReportedOutcome.ts"
import { withdraw } from "./Admission.ts"

/**
 * Ends a registered request, withdraws a queued one, and returns the lease; other correlation ids are not affected.
 *
 * *Details*: an unfinished deployment by Signalbox is not ended, since it can be resumed; only its lease is returned.
 * The lease of a command whose end was not observed is left to expire: the command may outlive its runner for a moment.
 *
 * *Errors*: `Rejected` (`blocked`) while a runner is alive.
 */
export const cleanup = Effect.fnUntraced(function* (
  id: CorrelationId,
  options: { readonly status: ReportedOutcome; readonly by: string; readonly reason?: string }
): Effect.fn.Return<CleanupResult, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  const before = yield* store.execution(id)
  if (before === undefined) return { correlationId: id, was: null, now: null, released: false }
  // A queued request holds nothing yet, and is removed from the queue even if a process waits with it.
  if (yield* withdraw(id, errorInfo("withdrawn", { by: options.by }, { detail: options.reason }))) {
    return { correlationId: id, was: before.status, now: "cancelled", released: false }
  }
  const mine = yield* claimExecution(id, Duration.seconds(10)).pipe(
    Effect.catchTag("LeaseHeld", ({ lease }) => Effect.fail(stillRunning(id, lease.owner)))
  )
  return yield* Effect.gen(function* () {
    const state = (yield* store.execution(id)) ?? before
    yield* conclude(id, mine, options)
    const lock = yield* currentLease(before.deploymentId, before.environment)
    const held = lock?.holder === id && !mayHaveCommand(state)
    if (held) yield* leases.release(lock)
    const after = yield* store.execution(id)
    return { correlationId: id, was: before.status, now: after?.status ?? null, released: held }
  }).pipe(Effect.ensuring(Effect.ignore(leases.release(mine))))
})

const stillRunning = (id: CorrelationId, owner?: string): Rejected =>
  reject("still_running", { execution: id, owner }, { remedies: [{ _tag: "abort", execution: id }] })

const conclude = Effect.fnUntraced(function* (
  id: CorrelationId,
  mine: Lease,
  options: { readonly status: ReportedOutcome; readonly by: string; readonly reason?: string }
): Effect.fn.Return<void, Rejected | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { by, reason } = options
  const decide = Effect.fnUntraced(function* ({ execution: state }: StreamState) {
    if (state === undefined || isFinished(state)) return []
    if (state.kind !== "run" && state.status !== "queued") return []
    const environment = yield* store.environment(state.deploymentId, state.environment)
    const at = yield* Clock.currentTimeMillis
    return state.status === "queued" && options.status !== "cancelled"
      ? reportedOutcomeEvents(state, environment, at, options.status, options)
      : closureEvents(state, environment, at, errorInfo("cleaned_up", { by }, { detail: reason }))
  })
  yield* ExecutionLog.write(id, decide, [mine]).pipe(
    Effect.catchTags({
      IllegalTransition: Effect.die,
      // This process may have been stopped so long that another one has ended it, or runs it.
      LeaseLost: () => Effect.fail(stillRunning(id))
    })
  )
})
