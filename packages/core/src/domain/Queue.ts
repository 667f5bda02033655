/**
 * The queue before a lock: whose turn it is.
 */
import * as Schema from "effect/Schema"
import { Actor, Origin, QueuePolicy } from "./Event.ts"
import { CorrelationId, Timestamp } from "./Ids.ts"
import { ExecutionKind } from "./Machines.ts"

/**
 * A place in the queue: a request that was recorded and has not come to its turn yet.
 *
 * *Details*: `overtaken` counts the rollbacks that came later and went before.
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

/** Those that wait, in the order in which they came. */
export type Queue = ReadonlyArray<Ticket>

/**
 * How many rollbacks may go before a request that came first: so many emergencies in a row are one that waiting does not
 * make worse, and nobody waits for ever.
 */
export const maxOvertaken = 5

/** Adds a request at the end. */
export const join = (queue: Queue, ticket: Omit<Ticket, "overtaken">): Queue => [...queue, { ...ticket, overtaken: 0 }]

/** Takes a request out that will not be carried out. */
export const leave = (queue: Queue, id: CorrelationId): Queue =>
  queue.some(({ correlationId }) => correlationId === id)
    ? queue.filter(({ correlationId }) => correlationId !== id)
    : queue

/**
 * Takes a request out whose turn has come. A rollback leaves its mark on those that had come before it.
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
 * The order in which requests come to their turn: rollbacks first, then first come, first served; whoever was overtaken
 * `maxOvertaken` times goes before everybody.
 */
export const inOrder = (queue: Queue): Queue => {
  const rank = ({ kind, overtaken }: Ticket): number => (overtaken >= maxOvertaken ? 0 : kind === "rollback" ? 1 : 2)
  return queue.toSorted((left, right) => rank(left) - rank(right))
}

/**
 * Those that come to their turn before a request, in order; for a request that does not wait yet, those that would. Whom
 * `isWaiting` denies keeps the place and holds nobody up: its process is gone.
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
 * Those that a newcomer takes the place of: with `latest_wins`, everybody who waits, but for rollbacks.
 */
export const displacedBy = (queue: Queue, newcomer: Pick<Ticket, "correlationId" | "policy">): Queue => {
  const place = queue.findIndex(({ correlationId }) => correlationId === newcomer.correlationId)
  return newcomer.policy === "latest_wins"
    ? queue.slice(0, place === -1 ? queue.length : place).filter(({ kind }) => kind !== "rollback")
    : []
}
