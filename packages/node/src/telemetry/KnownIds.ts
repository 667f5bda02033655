/**
 * Spans with known ids, from the tracer of an OpenTelemetry SDK.
 *
 * OpenTelemetry's API cannot set the ids of a span, but the tracers of its SDKs (1.x to 3.x) take ids and the sampling
 * decision from two fields, `_idGenerator` and `_sampler`. An object that inherits from the tracer and has its own two
 * changes nothing in the program's tracer. Why: docs/decisions/2026-11-29-traces-inside-a-host.md.
 */
import type { Sampler, SamplingDecision, Tracer } from "@opentelemetry/api"
import type { SpanReference } from "@signalbox/core/telemetry"
import { type OtelApi, quietly } from "./OtelApi.ts"

interface SdkTracer extends Tracer {
  readonly _idGenerator: { readonly generateTraceId: () => string; readonly generateSpanId: () => string }
  readonly _sampler: Sampler
}

const isSdkTracer = (tracer: Tracer): tracer is SdkTracer => {
  const { _idGenerator, _sampler } = tracer as Partial<SdkTracer>
  return typeof _idGenerator?.generateSpanId === "function" && typeof _sampler?.shouldSample === "function"
}

const withIds = (tracer: Tracer, { spanId, traceId }: SpanReference, decision: SamplingDecision): Tracer =>
  Object.create(tracer, {
    _idGenerator: { value: { generateTraceId: () => traceId, generateSpanId: () => spanId } },
    _sampler: { value: { shouldSample: () => ({ decision }), toString: () => "Signalbox" } }
  }) as Tracer

export interface KnownIds {
  /** A tracer whose next span has these ids and is exported. */
  readonly tracer: (ids: SpanReference) => Tracer
  /** The program's own decision about a trace. */
  readonly sampled: (traceId: string) => boolean
}

/** Undefined if this tracer does not use the ids that it is given. */
export const knownIds = (api: OtelApi, tracer: Tracer): KnownIds | undefined => {
  if (!isSdkTracer(tracer)) return undefined
  const wanted = { traceId: "5".repeat(32), spanId: "5".repeat(16) }
  // A span that is not recorded reaches no processor and no exporter.
  const unrecorded = withIds(tracer, wanted, api.SamplingDecision.NOT_RECORD)
  const probe = quietly(() => unrecorded.startSpan("probe", {}, api.ROOT_CONTEXT).spanContext())
  if (probe?.spanId !== wanted.spanId || probe.traceId !== wanted.traceId) return undefined
  return {
    tracer: (ids) => withIds(tracer, ids, api.SamplingDecision.RECORD_AND_SAMPLED),
    sampled: (traceId) => {
      const { ROOT_CONTEXT: root, SpanKind } = api
      const asked = quietly(() => tracer._sampler.shouldSample(root, traceId, "RUN", SpanKind.SERVER, {}, []))
      return asked?.decision === api.SamplingDecision.RECORD_AND_SAMPLED
    }
  }
}
