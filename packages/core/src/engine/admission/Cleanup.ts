/**
 * Giving back what a correlation id holds, from any process, as often as anybody likes.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isFinished, mayHaveCommand } from "../../domain/Execution.ts"
import { errorInfo } from "../../domain/errors/index.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import type { ExecutionStatus } from "../../domain/Machines.ts"
import { DeploymentStore, type StreamState } from "../../spi/DeploymentStore.ts"
import { type Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { closureEvents, ExecutionLog } from "../log/index.ts"
import { claimExecution, currentLease } from "../lease/index.ts"
import { reject, type Rejected } from "../../api/Rejected.ts"
import { reportedOutcomeEvents, type ReportedOutcome } from "./ReportedOutcome.ts"
import { withdraw } from "./Admission.ts"

/**
 * What was cleaned up: the status before and after (null where there is no such execution), and whether the lock was held
 * and is free now.
 */
export interface CleanupResult {
  readonly correlationId: CorrelationId
  readonly was: ExecutionStatus | null
  readonly now: ExecutionStatus | null
  readonly released: boolean
}

/**
 * Ends what was registered, withdraws what waits, and gives the lock back; what another correlation id holds is left alone.
 *
 * *Details*: a deployment of Signalbox's own that was left half-way is not ended, since it can be carried on; only its lock
 * is given back. The lock of a command whose end nobody saw is left to expire: the command may live for a moment longer than
 * whoever ran it.
 *
 * *Errors*: `Refused` (`blocked`) while somebody still runs it.
 */
export const cleanup = Effect.fnUntraced(function* (
  id: CorrelationId,
  options: { readonly status: ReportedOutcome; readonly by: string; readonly reason?: string }
): Effect.fn.Return<CleanupResult, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  const before = yield* store.execution(id)
  if (before === undefined) return { correlationId: id, was: null, now: null, released: false }
  // Whoever waits has nothing yet, and is taken out of the queue also where a process waits with it.
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
      // Whoever was stopped here for so long that somebody else may have ended it, or runs it.
      LeaseLost: () => Effect.fail(stillRunning(id))
    })
  )
})
