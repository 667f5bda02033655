/**
 * The order of deliveries: one after the other for each stream and channel, and channels apart from each other.
 */
import type { DeliveryState } from "../../spi/Outbox.ts"

const inOrder = (left: DeliveryState, right: DeliveryState): number =>
  left.seq - right.seq || left.createdAt - right.createdAt || (left.id < right.id ? -1 : 1)

/** Whether it is still to be sent. */
export const isUnsettled = ({ status }: DeliveryState): boolean => status === "scheduled" || status === "queued"

/** Rows with changed ones in their place. */
export const withChanges = (
  rows: ReadonlyArray<DeliveryState>,
  changes: ReadonlyArray<DeliveryState>
): ReadonlyArray<DeliveryState> => [...new Map([...rows, ...changes].map((row) => [row.id, row] as const)).values()]

/**
 * The rows that change so that the first queued one of each channel is due and the others wait behind it.
 *
 * *Details*: `rows` are all of one stream, or all of one of its channels.
 */
export const promoted = (rows: ReadonlyArray<DeliveryState>, now: number): ReadonlyArray<DeliveryState> => {
  const seen = new Set<string>()
  return rows
    .filter(({ status }) => status === "queued")
    .sort(inOrder)
    .flatMap((row) => {
      const isFirst = !seen.has(row.channel)
      seen.add(row.channel)
      const nextAt = isFirst ? (row.nextAt === 0 ? now : row.nextAt) : 0
      return nextAt === row.nextAt ? [] : [{ ...row, nextAt }]
    })
}

/** Everything that a write changes: what was decided, and what follows from it for the order. */
export const settled = (
  rows: ReadonlyArray<DeliveryState>,
  changes: ReadonlyArray<DeliveryState>,
  now: number
): ReadonlyArray<DeliveryState> => withChanges(changes, promoted(withChanges(rows, changes), now))

/** The first delivery of a channel that has something to do. */
export const headOf = (rows: ReadonlyArray<DeliveryState>, channel: string): DeliveryState | undefined =>
  rows
    .filter((row) => row.channel === channel && row.nextAt > 0)
    .sort((a, b) => a.nextAt - b.nextAt || inOrder(a, b))[0]
