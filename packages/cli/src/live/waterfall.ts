/**
 * A trace as a text waterfall: the nesting, durations and times. A pure function of the spans and the width of the
 * screen.
 */
import type { TraceSpan } from "@signalbox/core/engine"
import { Attribute, SpanName } from "@signalbox/core/telemetry"
import type { Paint, Style } from "../host/color.ts"
import { word } from "./glyphs.ts"
import { cut, displayWidth, fit, pad } from "./text.ts"
import { span as wordy } from "./words.ts"

/** Below this width, the bars are dropped; names and durations stay. */
const narrow = 60
const widestName = 44
/** A wider screen, or a file, which has no width, gets no wider bars. */
const widest = 160

/** Tenths of a second matter for seconds. */
const duration = (millis: number): string =>
  millis >= 1_000 && millis < 9_950 ? `${(millis / 1_000).toFixed(1)}s` : wordy(millis)

const signs = {
  open: ["◌", "blue"],
  error: ["✖", "red"],
  ok: ["✔", "green"],
  unset: ["·", "dim"]
} as const satisfies Readonly<Record<string, readonly [string, Style]>>

const text = (span: TraceSpan, name: string): string => String(span.attributes[name] ?? "")

/** What a step does, without its stack. */
const doing = (span: TraceSpan): string => {
  const [operation = "", , ...rest] = text(span, Attribute.step).split("/")
  return [operation, ...rest].join(" ")
}

/** The name of a span here. */
export const labelOf = (span: TraceSpan): string => {
  const verdict = text(span, Attribute.verdict)
  const answer = text(span, Attribute.answer)
  if (span.parentSpanId === undefined) return text(span, Attribute.pipelineName)
  if (span.name === SpanName.run) {
    const cut = span.attributes[Attribute.cut] === true ? ", ended abruptly" : ""
    return `runner${span.attributes[Attribute.resumed] === true ? ", carried on" : ""}${cut}`
  }
  if (span.name === SpanName.step("watch")) {
    const what =
      text(span, Attribute.watched) ||
      doing(span)
        .replace(/^watch /, "")
        .replace(/ \d+$/, "")
    return `gate ${what}${verdict === "" ? "" : `: ${word(verdict)}`}`
  }
  if (span.name === SpanName.step("ask")) return `waits for an answer${answer === "" ? "" : `: ${answer}`}`
  if (span.attributes[Attribute.step] !== undefined) return doing(span)
  return text(span, Attribute.stack) || word(text(span, Attribute.stage))
}

/** The spans as a tree in the order of their starts, each with its depth. */
export const ordered = (spans: ReadonlyArray<TraceSpan>): ReadonlyArray<readonly [depth: number, span: TraceSpan]> => {
  const below = new Map<string | undefined, Array<TraceSpan>>()
  for (const span of spans) below.set(span.parentSpanId, [...(below.get(span.parentSpanId) ?? []), span])
  const from = (parent: string | undefined, depth: number): ReadonlyArray<readonly [number, TraceSpan]> =>
    (below.get(parent) ?? [])
      .toSorted((left, right) => left.start - right.start || left.end - right.end)
      .flatMap((span) => [[depth, span] as const, ...from(span.spanId, depth + 1)])
  return from(undefined, 0)
}

/** Waiting is drawn lighter than working. */
const fill = (span: TraceSpan): string =>
  span.name === SpanName.step("ask") ? "░" : span.name === SpanName.step("watch") ? "▒" : "█"

const bar = (span: TraceSpan, begun: number, total: number, width: number): string => {
  const at = (time: number) => Math.round(((time - begun) / total) * width)
  const start = Math.min(width - 1, Math.max(0, at(span.start)))
  const length = Math.max(1, Math.min(width, at(span.end)) - start)
  return `${" ".repeat(start)}${fill(span).repeat(length)}`
}

/** The lines of the waterfall, none wider than `columns`. */
export const waterfall = (
  spans: ReadonlyArray<TraceSpan>,
  screen: { readonly columns: number; readonly paint: Paint }
): ReadonlyArray<string> => {
  const tree = ordered(spans)
  const root = tree[0]?.[1]
  if (root === undefined) return []
  const { paint } = screen
  const columns = Math.min(screen.columns, widest)
  const total = Math.max(1, Math.max(...spans.map(({ end }) => end)) - root.start)
  const labels = tree.map(([depth, span]) => `${"  ".repeat(depth)}${labelOf(span)}`)
  const times = spans.map((span) => duration(span.end - span.start))
  const timeWidth = Math.max(...times.map(displayWidth))
  const wanted = Math.min(widestName, Math.max(...labels.map(displayWidth)))
  const nameWidth = columns < narrow ? columns - timeWidth - 3 : Math.min(wanted, Math.floor(columns / 2))
  const barWidth = columns < narrow ? 0 : columns - nameWidth - timeWidth - 6
  return tree.map(([, span], index) => {
    const [sign, style] = signs[span.open ? "open" : span.status]
    const time = duration(span.end - span.start)
    return fit(
      [
        [style, sign],
        ` ${pad(cut(labels[index]!, nameWidth), nameWidth)} `,
        ["dim", `${" ".repeat(timeWidth - displayWidth(time))}${time}`],
        ...(barWidth === 0
          ? []
          : ["  ", [style === "dim" ? "cyan" : style, bar(span, root.start, total, barWidth)] as const])
      ],
      columns,
      paint
    ).trimEnd()
  })
}
