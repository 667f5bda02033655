/**
 * Encodes spans as OTLP. Only attributes with a name in `@signalbox/core/telemetry` are exported.
 */
import { allowed, type Attributes, type SpanData } from "@signalbox/core/telemetry"
import { entriesToAttributes } from "effect/observability/OtlpResource"
import type { TraceData } from "effect/observability/OtlpTracer"

export type OtlpSpan = TraceData["resourceSpans"][number]["scopeSpans"][number]["spans"][number]

const kinds = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 } as const
const codes = { unset: 0, ok: 1, error: 2 } as const

const attributesOf = (attributes: Attributes) =>
  entriesToAttributes(Object.entries(attributes).filter(([name]) => allowed.has(name)))

/** Milliseconds since the epoch, as OTLP's nanoseconds. */
export const nanos = (millis: number): bigint => BigInt(Math.round(millis)) * 1_000_000n

/** Encodes a span; `start` and `end` in nanoseconds replace its own times. */
export const encodeSpan = (
  span: SpanData,
  times: { readonly start: bigint; readonly end: bigint } = { start: nanos(span.start), end: nanos(span.end) }
): OtlpSpan => ({
  traceId: span.traceId,
  spanId: span.spanId,
  parentSpanId: span.parentSpanId,
  name: span.name,
  kind: kinds[span.kind],
  startTimeUnixNano: String(times.start),
  endTimeUnixNano: String(times.end < times.start ? times.start : times.end),
  attributes: attributesOf(span.attributes),
  droppedAttributesCount: 0,
  events: span.events.map(({ at, attributes, name }) => ({
    name,
    timeUnixNano: String(nanos(at)),
    attributes: attributesOf(attributes),
    droppedAttributesCount: 0
  })),
  droppedEventsCount: 0,
  status: { code: codes[span.status], ...(span.message === undefined ? {} : { message: span.message }) },
  links: span.links.map(({ attributes, spanId, traceId }) => ({
    traceId,
    spanId,
    attributes: attributesOf(attributes),
    droppedAttributesCount: 0
  })),
  droppedLinksCount: 0
})
