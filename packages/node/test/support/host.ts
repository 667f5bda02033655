/**
 * A program's OpenTelemetry: a provider that is registered until the test ends, and what its exporter received.
 */
import { context, type Span, trace, type TracerProvider } from "@opentelemetry/api"
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks"
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  type Sampler,
  SimpleSpanProcessor,
  type SpanProcessor
} from "@opentelemetry/sdk-trace-base"
import { rootSpanIdOf, traceIdOf } from "@signalbox/core/telemetry"
import { expect, onTestFinished } from "vitest"

/** Registers a provider of any origin. */
export const register = (provider: TracerProvider, { contexts = true } = {}): void => {
  trace.setGlobalTracerProvider(provider)
  if (contexts) context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  onTestFinished(() => {
    trace.disable()
    context.disable()
  })
}

interface HostOptions {
  readonly contexts?: boolean
  readonly processors?: ReadonlyArray<SpanProcessor>
  readonly sampler?: Sampler
}

/** Registers a provider of the SDK. */
export const startHost = ({ contexts = true, processors = [], sampler }: HostOptions = {}) => {
  const exporter = new InMemorySpanExporter()
  const spanProcessors = [...processors, new SimpleSpanProcessor(exporter)]
  const provider = new BasicTracerProvider({ spanProcessors, ...(sampler === undefined ? {} : { sampler }) })
  register(provider, { contexts })
  return { exporter, provider, spans: () => exporter.getFinishedSpans() }
}

/** Runs in an active span of the program. */
export const inSpan = <A>(name: string, use: (span: Span) => Promise<A>): Promise<A> =>
  trace.getTracer("program").startActiveSpan(name, async (span) => {
    try {
      return await use(span)
    } finally {
      span.end()
    }
  })

export const idsOf = (span: ReadableSpan | Span | undefined) => {
  const { spanId = "", traceId = "" } = span?.spanContext() ?? {}
  return { traceId, spanId }
}

export const linksOf = (span: ReadableSpan | undefined) =>
  (span?.links ?? []).map(({ attributes, context: { spanId, traceId } }) => ({
    traceId,
    spanId,
    as: attributes?.["signalbox.link"]
  }))

/** The spans of an execution, which are a tree with the known root and without a missing parent. */
export const treeOf = (all: ReadonlyArray<ReadableSpan>, correlationId: string) => {
  const spans = all.filter((span) => span.spanContext().traceId === traceIdOf(correlationId))
  const ids = spans.map((span) => span.spanContext().spanId)
  expect(new Set(ids).size, "no span twice").toBe(ids.length)
  const roots = spans.filter(({ parentSpanContext }) => parentSpanContext === undefined)
  expect(roots.map((root) => root.spanContext().spanId)).toEqual([rootSpanIdOf(correlationId)])
  const orphans = spans.filter(({ parentSpanContext: parent }) => parent !== undefined && !ids.includes(parent.spanId))
  expect(orphans.map(({ name }) => name)).toEqual([])
  const byName = (name: string) => spans.find((span) => span.name === name)
  const parentOf = (name: string) =>
    spans.find((span) => span.spanContext().spanId === byName(name)?.parentSpanContext?.spanId)?.name
  return { spans, root: roots[0], byName, parentOf, names: spans.map(({ name }) => name) }
}
