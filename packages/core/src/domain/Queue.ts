/**
 * The queue for a lease: who is admitted next.
 */
import * as Schema from "effect/Schema"
import { Actor, Origin, QueuePolicy } from "./Event.ts"
import { CorrelationId, Timestamp } from "./Ids.ts"
import { ExecutionKind } from "./Machines.ts"

/**
 * A queue position: a request that was recorded and is not admitted yet.
 *
 * *Details*: `overtaken` counts the rollbacks that came later and went first.
 */
export const Ticket = Schema.Struct({
  correlationId: CorrelationId,
  kind: ExecutionKind,
  by: Actor,
  at: Timestamp,
  policy: QueuePolicy,
  version: Schema.optionalKey(Schema.String),
  origin: Schema.optionalKey(Origin),
  overtaken: Schema.Int
})
export type Ticket = typeof Ticket.Type

/** The waiting requests, in order of arrival. */
export type Queue = ReadonlyArray<Ticket>

/**
 * Limits consecutive rollbacks so that queued requests cannot starve.
 */
export const maxOvertaken = 5

/** Adds a request at the end. */
export const join = (queue: Queue, ticket: Omit<Ticket, "overtaken">): Queue => [...queue, { ...ticket, overtaken: 0 }]

/** Removes a request that will not be executed. */
export const leave = (queue: Queue, id: CorrelationId): Queue =>
  queue.some(({ correlationId }) => correlationId === id)
    ? queue.filter(({ correlationId }) => correlationId !== id)
    : queue

/**
 * Removes a request that is admitted. A rollback increments `overtaken` of earlier requests.
 */
export const take = (queue: Queue, id: CorrelationId): Queue => {
  const place = queue.findIndex(({ correlationId }) => correlationId === id)
  if (place === -1) return queue
  const rollback = queue[place]?.kind === "rollback"
  return queue
    .map((ticket, index) =>
      rollback && index < place && ticket.kind !== "rollback" ? { ...ticket, overtaken: ticket.overtaken + 1 } : ticket
    )
    .filter((_, index) => index !== place)
}

/**
 * The order of admission: rollbacks first, then first come, first served. A request that was overtaken `maxOvertaken`
 * times goes first of all.
 */
export const inOrder = (queue: Queue): Queue => {
  const rank = ({ kind, overtaken }: Ticket): number => (overtaken >= maxOvertaken ? 0 : kind === "rollback" ? 1 : 2)
  return queue.toSorted((left, right) => rank(left) - rank(right))
}

/**
 * The requests ahead of a request, in order; for a request that is not queued yet, the ones that would be ahead. A request
 * that `isWaiting` denies keeps its position but holds up no other: its process is gone.
 */
export const before = (
  queue: Queue,
  asked: { readonly correlationId: CorrelationId; readonly kind: ExecutionKind },
  isWaiting: (ticket: Ticket) => boolean = () => true
): Queue => {
  const known = queue.some(({ correlationId }) => correlationId === asked.correlationId)
  const order = inOrder(known ? queue : join(queue, { ...asked, by: "-", at: 0, policy: "fifo" }))
  const place = order.findIndex(({ correlationId }) => correlationId === asked.correlationId)
  return order.slice(0, place).filter(isWaiting)
}

/**
 * The requests that a newcomer replaces: with `latest_wins`, all waiting ones except rollbacks.
 */
export const displacedBy = (queue: Queue, newcomer: Pick<Ticket, "correlationId" | "policy">): Queue => {
  const place = queue.findIndex(({ correlationId }) => correlationId === newcomer.correlationId)
  return newcomer.policy === "latest_wins"
    ? queue.slice(0, place === -1 ? queue.length : place).filter(({ kind }) => kind !== "rollback")
    : []
}
