/** The queue, for people. */
import type { Estimate } from "@signalbox/core/analysis"
import type { QueueEntry, QueuePlace, QueueStatus } from "@signalbox/core/api"
import { purposeText } from "@signalbox/core/text"
import type { Ink } from "../execution/outcome.ts"
import { between, guessed, roughly } from "./estimate.ts"
import { table } from "./table.ts"
import { ago, clock, plain, span } from "./words.ts"

/** `1st`, `2nd`, `3rd`, `11th`. */
export const ordinal = (position: number): string => {
  const last = position % 100 > 10 && position % 100 < 14 ? 0 : position % 10
  return `${position}${["th", "st", "nd", "rd"][last] ?? "th"}`
}

const most = 3

/** How long those ahead will take; undefined if nothing can be said. */
const expected = (left: Estimate.Estimate | undefined): string | undefined =>
  left === undefined || left.n === 0 || left.point === null || left.low === null || left.high === null
    ? undefined
    : `its turn is expected in about ${roughly(left.point)} (${left.basis === "few" ? guessed(left.n) : between(left.low, left.high)})`

/** `2nd in the queue, behind a (deploy by ada) and b (run by bob); its turn is expected in about 4 min (3–7 min)`. */
export const placeLine = ({ ahead, left, position }: QueuePlace): string => {
  if (position === null) return "its turn has come"
  const shown = ahead.slice(0, most).map(({ by, correlationId, kind }) => `${correlationId} (${kind} by ${by})`)
  const hidden = ahead.length - shown.length
  const behind =
    shown.length === 0
      ? "no request before it"
      : `behind ${[...shown, ...(hidden === 0 ? [] : [`${hidden} more`])].join(", ")}`
  const when = ahead.length === 0 ? undefined : expected(left)
  return plain(`${ordinal(position)} in the queue, ${behind}${when === undefined ? "" : `; ${when}`}`)
}

/** The waiting requests, in order. */
const queueTable = (queue: ReadonlyArray<QueueEntry>, now: number, { columns, paint }: Ink): ReadonlyArray<string> =>
  queue.length === 0
    ? []
    : table(
        queue,
        [
          { title: "PLACE", cell: ({ position }) => (position === null ? "–" : ordinal(position)) },
          { title: "CORRELATION ID", cell: ({ ticket }) => ticket.correlationId },
          { title: "KIND", cell: ({ ticket }) => ticket.kind },
          { title: "VERSION", cell: ({ ticket }) => ticket.version ?? "–", drop: 2 },
          { title: "BY", cell: ({ ticket }) => ticket.by, drop: 1 },
          { title: "WAITS", cell: ({ ticket }) => span(now - ticket.at) },
          { title: "", cell: ({ position }) => (position === null ? "no process is waiting with it" : "") }
        ],
        { width: columns, paint }
      )

/** The holder of the lease, the lock, and the queue. */
export const lockLines = (
  where: { readonly deploymentId: string; readonly environment: string },
  lineup: QueueStatus,
  now: number,
  ink: Ink
): ReadonlyArray<string> => {
  const { paint } = ink
  const { isDead, lease, lock, queue } = lineup
  const name = `${where.deploymentId} ${where.environment}`
  const release = `signalbox lock release ${where.deploymentId} --environment ${where.environment}`
  const next = (line: string) => `next:  ${paint("cyan", line)}`
  return [
    ...(lease === undefined
      ? [`${paint("green", "✔")} no execution holds the lease on ${name}`]
      : [
          `${paint(isDead ? "yellow" : "blue", isDead ? "?" : "◌")} ${lease.holder} holds the lease on ${name} (${plain(purposeText(lease.purpose))}) since ${ago(lease.acquiredAt, now)}`,
          `  ${isDead ? "no process of it is left; the lease ends" : "unless renewed, the lease ends"} in ${span(lease.expiresAt - now)}: ${lease.owner}`
        ]),
    ...(lock === undefined
      ? []
      : [
          `${paint("yellow", "⏸")} locked by ${plain(lock.by)} since ${ago(lock.at, now)}${lock.until === undefined ? "" : `, until ${clock(lock.until, now)}`}: ${plain(lock.reason)}`
        ]),
    ...(queue.length === 0 ? ["the queue is empty"] : ["", ...queueTable(queue, now, ink), ""]),
    ...(isDead ? [next(`signalbox status ${lease?.holder}`)] : []),
    ...(lock === undefined ? [] : [next(`${release} --reason "<reason>"`)])
  ]
}
