/** A replay for people. */
import type { Replay } from "@signalbox/core/analysis"
import type { Style } from "../host/color.ts"
import type { Invocation } from "../main/Invocation.ts"
import type { ReplaySummary } from "../json/replaySummary.ts"
import { word } from "./glyphs.ts"
import { type Column, table } from "./table.ts"
import { ago, clock, plain, span } from "./words.ts"

const signs: Readonly<Record<Replay.Ending["kind"], readonly [sign: string, style: Style]>> = {
  passes: ["✔", "green"],
  aborts: ["✖", "red"],
  asks: ["⏸", "yellow"],
  unknown: ["?", "yellow"],
  not_judged: ["·", "dim"]
}

const shown = (ending: Replay.Ending): string => `${signs[ending.kind][0]} ${word(ending.kind)}`

const moment = (ending: Replay.Ending): string =>
  ending.kind === "unknown" && ending.afterMs !== null
    ? `after ${span(ending.afterMs)}`
    : ending.afterMs === null
      ? "–"
      : span(ending.afterMs)

const columns = <Row>(
  recorded: (row: Row) => Replay.Ending,
  replayed: (row: Row) => Replay.Ending
): ReadonlyArray<Column<Row>> => [
  { title: "THEN", cell: (row) => shown(recorded(row)), style: (row) => signs[recorded(row).kind][1] },
  { title: "REPLAYED", cell: (row) => shown(replayed(row)), style: (row) => signs[replayed(row).kind][1] },
  { title: "AT", cell: (row) => moment(replayed(row)), drop: 2 },
  { title: "STEP", cell: (row) => replayed(row).step ?? "–", drop: 1 },
  { title: "WEIGHT", cell: (row) => (replayed(row).weight === null ? "–" : `${replayed(row).weight}%`), drop: 3 },
  { title: "WHY", cell: (row) => replayed(row).reason }
]

const sentence = (ending: Replay.Ending): string => {
  const where = ending.stack === null ? "" : `${ending.stack}: `
  const when =
    ending.at === null
      ? ""
      : ` ${clock(ending.at)}${ending.afterMs === null ? "" : ` (${span(ending.afterMs)} after it began)`}`
  const step = ending.step === null ? "" : ` in ${ending.step}`
  return `${shown(ending)}${when}${step}: ${where}${plain(ending.reason)}`
}

/** One execution: both ends in full, then its stacks. */
export const oneLines = (one: Replay.Replayed, inv: Invocation): ReadonlyArray<string> => {
  const { paint } = inv
  const notes = one.stacks.flatMap(({ name, notes, savedMs }) => [
    ...notes.map((note) => `note: ${name}: ${plain(note)}`),
    ...(savedMs === 0 ? [] : [`note: ${name}: its steps would have been over ${span(savedMs)} sooner`])
  ])
  const different = one.changed ? paint("yellow", "it would have ended otherwise") : "it would have ended the same way"
  return [
    `${one.kind} ${one.deploymentId} ${one.environment}${one.version === null ? "" : ` ${one.version}`} (${one.correlationId}): ${different}`,
    `then:     ${paint(signs[one.recorded.kind][1], sentence(one.recorded))}`,
    `replayed: ${paint(signs[one.replayed.kind][1], sentence(one.replayed))}`,
    "",
    ...table(
      one.stacks,
      [
        { title: "STACK", cell: ({ name }) => name },
        { title: "LOOKS", cell: ({ looks }) => String(looks.length), drop: 4 },
        ...columns<Replay.StackReplay>(
          ({ recorded }) => recorded,
          ({ replayed }) => replayed
        )
      ],
      { width: inv.host.stdout.columns(), paint }
    ),
    ...(notes.length === 0 ? [] : ["", ...notes])
  ]
}

const times = (n: number, what: string): string => `${n} ${what}`

/** Many executions, a line each. */
export const manyLines = (
  all: ReadonlyArray<Replay.Replayed>,
  summary: ReplaySummary,
  inv: Invocation
): ReadonlyArray<string> => {
  if (all.length === 0) return ["Nothing was judged in that time."]
  const now = Date.now()
  return [
    ...table(
      all,
      [
        { title: "CORRELATION ID", cell: ({ correlationId }) => correlationId },
        { title: "VERSION", cell: ({ version }) => version ?? "–", drop: 5 },
        { title: "ASKED", cell: ({ requestedAt }) => ago(requestedAt, now), drop: 4 },
        ...columns<Replay.Replayed>(
          ({ recorded }) => recorded,
          ({ replayed }) => replayed
        )
      ],
      { width: inv.host.stdout.columns(), paint: inv.paint }
    ),
    "",
    [
      times(summary.judged, summary.judged === 1 ? "execution judged" : "executions judged"),
      times(summary.passes, "would pass"),
      times(summary.aborts, `would be stopped (${summary.newlyAborted} of them were not)`),
      times(summary.asks, "would ask a person"),
      times(summary.unknown, "cannot be known to the end")
    ].join(", ")
  ]
}
