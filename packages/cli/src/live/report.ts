/** A report for people. */
import type { CalibrationView } from "@signalbox/core/api"
import type { Invocation } from "../main/Invocation.ts"
import { table } from "./table.ts"
import { span } from "./words.ts"

type Tally = Pick<CalibrationView, "n" | "covered" | "share" | "medianErrorMs" | "naiveMedianErrorMs" | "medianWidthMs">

const percent = (share: number | null): string => (share === null ? "–" : `${(100 * share).toFixed(1)} %`)
const time = (ms: number | null): string => (ms === null ? "–" : span(ms))

const scopes: Readonly<Record<string, string>> = {
  environment: "same work, same environment",
  deployment: "same work, any environment",
  strategy: "stages by provider and strategy",
  provider: "stages by provider",
  stage: "stages of any provider",
  all: "all stages"
}

const tallies = <Row extends Tally>(
  inv: Invocation,
  title: string,
  rows: ReadonlyArray<Row>,
  name: (row: Row) => string
): ReadonlyArray<string> =>
  rows.length === 0
    ? []
    : [
        "",
        ...table(
          rows,
          [
            { title, cell: name },
            { title: "ESTIMATES", cell: ({ n }) => String(n) },
            { title: "COVERED", cell: ({ share }) => percent(share) },
            { title: "OFF BY", cell: ({ medianErrorMs }) => time(medianErrorMs) },
            { title: "MEAN OFF BY", cell: ({ naiveMedianErrorMs }) => time(naiveMedianErrorMs), drop: 1 },
            { title: "WIDTH", cell: ({ medianWidthMs }) => time(medianWidthMs), drop: 2 }
          ],
          { width: inv.host.stdout.columns(), paint: inv.paint }
        )
      ]

const momentOf = (moment: number): string => (moment === 0 ? "at the start" : `after ${100 * moment} % of the time`)

/**
 * How far they deviate from 80 % by chance, in 99 of 100 cases. Estimates of one execution hold, or do not, together.
 */
const chance = ({ coverage, executions, n }: CalibrationView): number =>
  2.58 * Math.sqrt((coverage * (1 - coverage)) / Math.min(n, executions))

/** Whether the intervals are reliable, in one sentence. */
export const verdict = (view: CalibrationView): string => {
  const { coverage, covered, executions, medianErrorMs, n, naiveMedianErrorMs, share } = view
  if (n === 0 || share === null) {
    return `not enough history: none of ${executions} executions had nine before it to be estimated from`
  }
  const held = `${100 * coverage} % intervals covered ${percent(share)} of ${n} (${covered})`
  const off = Math.max(0.05, chance(view))
  const believed =
    share < coverage - off
      ? "they are too narrow"
      : share > coverage + off
        ? "they are wider than they need to be"
        : "as they should"
  const error =
    naiveMedianErrorMs === null
      ? ""
      : `; half of the estimates were off by less than ${time(medianErrorMs)}, the mean by ${time(naiveMedianErrorMs)}`
  return `${held}: ${believed}${error}`
}

/** How well estimates held on this history. */
export const calibrationLines = (view: CalibrationView, inv: Invocation): ReadonlyArray<string> => {
  const { exceeded, few, none } = view.withoutInterval
  return [
    verdict(view),
    ...tallies(inv, "WHEN", view.byMoment, ({ moment }) => momentOf(moment)),
    ...tallies(inv, "BY WHAT", view.byScope, ({ scope }) => scopes[scope] ?? scope),
    ...tallies(inv, "BY HOW MANY", view.byHistory, ({ from, to }) => `${from} to ${to}`),
    "",
    `Without an interval: ${few} with too little history, ${none} with none, ${exceeded} that took longer than all before.`
  ]
}
