import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Lease } from "../spi/LeaseStore.ts"
import type { DeliveryRow, EncodedOutbox, OutboxCommit, OutboxOutcome, OwedRow } from "./EncodedOutbox.ts"
import { keptLonger } from "./keptLonger.ts"

const oldestFirst = (left: DeliveryRow, right: DeliveryRow) =>
  left.createdAt - right.createdAt || left.seq - right.seq || (left.id < right.id ? -1 : 1)

const unsettled = ({ status }: DeliveryRow) => status === "queued" || status === "scheduled"

/** The outbox of the store in memory. */
export const makeMemoryOutbox = (isHeld: (guard: Lease, now: number) => boolean) => {
  const owed = new Map<string, OwedRow>()
  const deliveries = new Map<string, DeliveryRow>()

  const commit = ({ deliveries: rows, guards, mark }: OutboxCommit, now: number): OutboxOutcome => {
    if (guards.some((guard) => !isHeld(guard, now))) return "Lost"
    if (mark !== undefined) {
      const before = owed.get(mark.stream)
      if (before?.mark !== mark.from) return "Stale"
      owed.set(mark.stream, { ...before, mark: mark.to, at: now })
    }
    for (const row of rows) deliveries.set(row.id, row)
    return "Committed"
  }

  const encoded: EncodedOutbox = {
    owed: ({ deploymentId, limit }) =>
      Effect.sync(() =>
        [...owed.values()]
          .filter((row) => row.mark < row.seq && (deploymentId === undefined || row.deploymentId === deploymentId))
          .sort((left, right) => left.at - right.at)
          .slice(0, limit)
      ),
    mark: (stream) => Effect.sync(() => owed.get(stream)),
    due: ({ channels, deploymentId, limit, statuses, until }) =>
      Effect.sync(() =>
        [...deliveries.values()]
          .filter(
            (row) =>
              row.nextAt > 0 &&
              row.nextAt <= until &&
              (channels === undefined || channels.includes(row.channel)) &&
              (statuses === undefined || statuses.includes(row.status)) &&
              (deploymentId === undefined || row.deploymentId === deploymentId)
          )
          .sort((left, right) => left.nextAt - right.nextAt || oldestFirst(left, right))
          .slice(0, limit)
      ),
    deliveries: (query) =>
      Effect.sync(() => {
        const rows = [...deliveries.values()]
          .filter(
            (row) =>
              (query.id === undefined || row.id === query.id) &&
              (query.deploymentId === undefined || row.deploymentId === query.deploymentId) &&
              (query.stream === undefined || row.stream === query.stream) &&
              (query.channel === undefined || row.channel === query.channel) &&
              (query.statuses === undefined || query.statuses.includes(row.status))
          )
          .sort(oldestFirst)
        return (query.newestFirst === true ? rows.toReversed() : rows).slice(0, query.limit)
      }),
    commit: (write) => Effect.map(Clock.currentTimeMillis, (now) => commit(write, now))
  }

  return {
    encoded,
    owe: (
      stream: string,
      { at, deploymentId, seq }: { readonly deploymentId: string; readonly seq: number; readonly at: number }
    ) => {
      const before = owed.get(stream)
      owed.set(
        stream,
        before === undefined
          ? { stream, deploymentId, seq, at, mark: 0 }
          : { ...before, seq, at: before.mark < before.seq ? before.at : at }
      )
    },
    /** Whether something is still owed of a stream that would be pruned. */
    keeps: (stream: string, requestedAt: number, before: number): boolean => {
      if (requestedAt < before - keptLonger) return false
      const row = owed.get(stream)
      return (
        (row !== undefined && row.mark < row.seq) ||
        [...deliveries.values()].some((delivery) => delivery.stream === stream && unsettled(delivery))
      )
    },
    forget: (stream: string) => {
      owed.delete(stream)
      for (const [id, row] of deliveries) if (row.stream === stream) deliveries.delete(id)
    }
  }
}
