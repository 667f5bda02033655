/**
 * The order of the queue.
 */
import * as Effect from "effect/Effect"
import type { ExecutionState } from "../../domain/Execution.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import * as Queue from "../../domain/Queue.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { isLeaseHeld, RunnerIdentity } from "../lease/index.ts"
import { executionClaimKey } from "../../spi/LeaseKey.ts"

/**
 * Whether a process waits with a request: a claim that is over, or whose process is known to be dead, does not count. Reads all
 * claims once.
 */
export const isWaiting: Effect.Effect<
  (ticket: Pick<Queue.Ticket, "correlationId">) => boolean,
  StoreError,
  LeaseStore
> = Effect.gen(function* () {
  const leases = yield* LeaseStore
  const { isDead } = yield* RunnerIdentity
  const held = yield* leases.list
  const claimed = new Set(held.flatMap(({ key, owner }) => (isDead(owner) ? [] : [key])))
  return ({ correlationId }) => claimed.has(executionClaimKey(correlationId))
})

type QueuedRequest = Pick<ExecutionState, "correlationId" | "kind" | "deploymentId" | "environment">

/** Whether an earlier request does not hold up another one at this moment. */
export type CanPass = (ticket: Queue.Ticket) => Effect.Effect<boolean, StoreError, DeploymentStore | LeaseStore>

/**
 * The requests ahead of an execution, in order; without registered requests that no process waits with, and without
 * requests that `isPassed`.
 */
export const requestsAhead = Effect.fnUntraced(function* (
  asked: QueuedRequest,
  isPassed?: CanPass
): Effect.fn.Return<Queue.Queue, StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const environment = yield* store.environment(asked.deploymentId, asked.environment)
  const queue = environment?.queue ?? []
  if (queue.length === 0) return []
  const before = Queue.before(queue, asked, yield* isWaiting)
  if (isPassed === undefined) return before
  const passed = yield* Effect.forEach(before, isPassed)
  return before.filter((_, index) => passed[index] !== true)
})

/**
 * How far a request is from its admission: the number of positions ahead, and whether it is next, because no process
 * waits in any of them, or each that does `isPassed`.
 *
 * *Details*: reads as few claims as possible. Many processes look, and often: the cost of a look must not grow with the
 * number of past claims.
 */
export const queuePosition = Effect.fnUntraced(function* (
  asked: QueuedRequest,
  isPassed: CanPass = () => Effect.succeed(false)
): Effect.fn.Return<{ readonly places: number; readonly isNext: boolean }, StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const environment = yield* store.environment(asked.deploymentId, asked.environment)
  const before = Queue.before(environment?.queue ?? [], asked)
  for (const ticket of before) {
    if ((yield* isClaimed(ticket.correlationId)) && !(yield* isPassed(ticket)))
      return { places: before.length, isNext: false }
  }
  return { places: before.length, isNext: true }
})

const isClaimed: (id: CorrelationId) => Effect.Effect<boolean, StoreError, LeaseStore> = Effect.fnUntraced(function* (
  id: CorrelationId
) {
  const leases = yield* LeaseStore
  const { isDead } = yield* RunnerIdentity
  const claim = yield* leases.get(executionClaimKey(id))
  if (claim === undefined || claim.expiresAt === 0 || isDead(claim.owner)) return false
  if (yield* isLeaseHeld(claim)) return true
  // It may have changed hands between the two queries: from the submitter to the runner.
  const now = yield* leases.get(executionClaimKey(id))
  return now !== undefined && now.fence !== claim.fence && (yield* isClaimed(id))
})
