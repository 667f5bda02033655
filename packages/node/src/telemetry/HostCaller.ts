/**
 * The span of the program that a request comes from.
 */
import type { Attributes as OtelAttributes, Context, Span } from "@opentelemetry/api"
import type { CallerSpan } from "@signalbox/core/telemetry"
import * as Effect from "effect/Effect"
import { type OtelApi, quietly } from "./OtelApi.ts"

/** A caller, and its context in the program's OpenTelemetry. */
export interface HostCaller extends CallerSpan {
  readonly context: Context
}

const callerOf = (api: OtelApi, span: Span, linked: Set<string>): HostCaller | undefined => {
  const ids = span.spanContext()
  if (!api.isSpanContextValid(ids)) return undefined
  const sampled = (ids.traceFlags & api.TraceFlags.SAMPLED) !== 0
  return {
    context: api.context.active(),
    parent: sampled ? `00-${ids.traceId}-${ids.spanId}-01` : undefined,
    link: ({ spanId, traceId }, attributes: OtelAttributes) => {
      // It may have ended long before the execution that it asked for begins.
      if (linked.has(traceId) || !span.isRecording()) return
      linked.add(traceId)
      const context = { traceId, spanId, traceFlags: api.TraceFlags.SAMPLED }
      quietly(() => span.addLink?.({ context, attributes }))
    }
  }
}

/** The active span of the program. A program on Effect makes its spans active with `@effect/opentelemetry`. */
export const hostCaller = (api: OtelApi): Effect.Effect<HostCaller | undefined> => {
  const linkedFrom = new WeakMap<Span, Set<string>>()
  return Effect.sync(() => {
    const active = api.trace.getActiveSpan()
    if (active === undefined) return undefined
    const linked = linkedFrom.get(active) ?? new Set()
    linkedFrom.set(active, linked)
    return callerOf(api, active, linked)
  })
}
