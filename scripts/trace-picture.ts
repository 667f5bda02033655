/**
 * Draws one trace as docs/trace.svg: `node scripts/trace-picture.ts <OTLP/JSON lines> <correlation id>`. The file holds what a
 * collector received, one request a line, as the file exporter of the OpenTelemetry Collector writes it.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"

interface Attribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}
interface Span {
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly status: { readonly code: number }
  readonly attributes: ReadonlyArray<Attribute>
}
interface Traces {
  readonly resourceSpans: ReadonlyArray<{ readonly scopeSpans: ReadonlyArray<{ readonly spans: ReadonlyArray<Span> }> }>
}

const [file = "", correlationId = ""] = process.argv.slice(2)
const attribute = (span: Span, key: string): string =>
  String(Object.values(span.attributes.find((one) => one.key === key)?.value ?? { none: "" })[0])
const spans = readFileSync(file, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .flatMap((line) => (JSON.parse(line) as Traces).resourceSpans)
  .flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans))
  .filter((span) => attribute(span, "signalbox.correlation_id") === correlationId)
  // A gate measures several times a second in the demo.
  .filter(({ name }) => name !== "Provider.measure")

const millis = (nanos: string) => Number(BigInt(nanos) / 1_000n) / 1_000
const below = (parent: string | undefined, depth: number): ReadonlyArray<readonly [number, Span]> =>
  spans
    .filter((span) => span.parentSpanId === parent)
    .toSorted((left, right) => millis(left.startTimeUnixNano) - millis(right.startTimeUnixNano))
    .flatMap((span) => [[depth, span] as const, ...below(span.spanId, depth + 1)])
const tree = below(undefined, 0)
const root = tree[0]?.[1]
if (root === undefined) throw new Error(`${file} holds no trace of ${correlationId}`)

const [names, bars, row, top] = [330, 560, 17, 26]
const begun = millis(root.startTimeUnixNano)
const total = millis(root.endTimeUnixNano) - begun
const x = (at: number) => names + ((at - begun) / total) * bars
const escape = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;")
const colors: ReadonlyArray<readonly [RegExp, string]> = [
  [/^RUN/, "#1f3a5f"],
  [/^Runner/, "#7a869a"],
  [/^Stage/, "#2f6db5"],
  [/^Stack/, "#5b9bd5"],
  [/^Gate/, "#c98a1b"],
  [/^(Approval|Lease)/, "#b8a13a"],
  [/^Provider/, "#9cc3e6"],
  [/./, "#3f8f8a"]
]
const what = (span: Span): string =>
  [attribute(span, "signalbox.verdict"), attribute(span, "signalbox.stack")].filter((one) => one !== "").join(" ")

const rows = tree.map(([depth, span], index) => {
  const start = x(millis(span.startTimeUnixNano))
  const width = Math.max(2, x(millis(span.endTimeUnixNano)) - start)
  const y = top + index * row
  const fill = span.status.code === 2 ? "#b3372b" : colors.find(([pattern]) => pattern.test(span.name))![1]
  const note = what(span)
  return [
    `<text x="${8 + depth * 12}" y="${y + 12}">${escape(span.name)}${note === "" ? "" : `<tspan class="n" dx="6">${escape(note)}</tspan>`}</text>`,
    `<rect x="${start.toFixed(1)}" y="${y + 3}" width="${width.toFixed(1)}" height="11" rx="2" fill="${fill}"/>`
  ].join("")
})
const ticks = Array.from({ length: 5 }, (_, n) => {
  const at = names + (n / 4) * bars
  return `<path d="M${at} ${top - 4}V${top + rows.length * row}" stroke="#e3e7ee"/><text class="n" x="${at}" y="14" text-anchor="middle">${((total * n) / 4_000).toFixed(1)} s</text>`
})
const [width, height] = [names + bars + 24, top + rows.length * row + 8]
const target = fileURLToPath(new URL("../docs/trace.svg", import.meta.url))
writeFileSync(
  target,
  `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="The trace of a deployment: its canary fails its gate and is rolled back">
<style>text{font:11px ui-monospace,Menlo,Consolas,monospace;fill:#1b2433}.n{fill:#66718a}</style>
<rect width="100%" height="100%" fill="#fff"/>
${ticks.join("\n")}
${rows.join("\n")}
</svg>
`
)
process.stdout.write(`${target}: ${rows.length} spans\n`)
