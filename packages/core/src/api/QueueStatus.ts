/**
 * The facade's answers about the lease of an environment and its queue.
 */
import * as Schema from "effect/Schema"
import { Estimate } from "../analysis/Estimate.ts"
import { EnvironmentLock } from "../domain/Environment.ts"
import { ExecutionState } from "../domain/ExecutionState.ts"
import { CorrelationId } from "../domain/Ids.ts"
import { ExecutionStatus } from "../domain/Machines.ts"
import { Ticket } from "../domain/Queue.ts"
import { Lease } from "../spi/LeaseStore.ts"

const { by, correlationId, kind } = ExecutionState.fields

/**
 * The position of a request.
 *
 * *Details*: `position` counts the waiting requests that hold up others, from 1; null if it no longer waits. `ahead`
 * are the ones ahead, starting with the lease holder. `left` is how long they will take.
 */
export const QueuePlace = Schema.Struct({
  position: Schema.NullOr(Schema.Int),
  ahead: Schema.Array(Schema.Struct({ correlationId, kind, by })),
  left: Schema.UndefinedOr(Estimate)
}).annotate({ identifier: "QueuePlace" })
export type QueuePlace = typeof QueuePlace.Type

/**
 * A waiting request. `position` is null if no process waits with it: it was only registered, or its process is gone.
 */
export const QueueEntry = Schema.Struct({
  ticket: Ticket,
  position: Schema.NullOr(Schema.Int)
}).annotate({ identifier: "QueueEntry" })
export type QueueEntry = typeof QueueEntry.Type

/**
 * A lease with the lock and the queue of its environment. `isDead` says that the process that acquired the lease is
 * gone.
 */
export const QueueStatus = Schema.Struct({
  lease: Schema.UndefinedOr(Lease),
  isDead: Schema.Boolean,
  lock: Schema.UndefinedOr(EnvironmentLock),
  queue: Schema.Array(QueueEntry)
}).annotate({ identifier: "QueueStatus" })
export type QueueStatus = typeof QueueStatus.Type

/**
 * The result of a cleanup: the status before and after (null if there is no such execution), and whether the lease was
 * held and is free now.
 */
export const CleanupResult = Schema.Struct({
  correlationId: CorrelationId,
  was: Schema.NullOr(ExecutionStatus),
  now: Schema.NullOr(ExecutionStatus),
  released: Schema.Boolean
}).annotate({ identifier: "CleanupResult" })
export type CleanupResult = typeof CleanupResult.Type
