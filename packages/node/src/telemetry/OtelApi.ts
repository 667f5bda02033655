/**
 * The program's OpenTelemetry: its API, found at run time.
 */
import type * as Api from "@opentelemetry/api"
import type { Context, Tracer, TracerProvider } from "@opentelemetry/api"
import * as Effect from "effect/Effect"
import { OpenTelemetryMissing } from "./OpenTelemetryMissing.ts"

/** The whole module. */
export type OtelApi = typeof Api

/** Loads it: programs that do not ask for their own OpenTelemetry do not need it. */
export const loadApi: Effect.Effect<OtelApi, OpenTelemetryMissing> = Effect.tryPromise({
  try: () => import("@opentelemetry/api"),
  catch: (cause) => new OpenTelemetryMissing({ cause })
})

/** A provider of an SDK, not of the API. */
interface Flushed extends TracerProvider {
  readonly forceFlush: () => Promise<unknown>
}

/** The registered provider and its tracer for Signalbox. */
export interface Registered {
  readonly tracer: Tracer
  /** Waits until what has ended is exported; rejects if it was refused. */
  readonly flush: () => Promise<unknown>
}

/** Undefined if the program has registered no provider. */
export const registered = ({ trace }: OtelApi): Registered | undefined => {
  const global: TracerProvider & {
    readonly getDelegate?: () => TracerProvider
    readonly getDelegateTracer?: (name: string) => Tracer | undefined
  } = trace.getTracerProvider()
  const name = "@signalbox/core"
  const tracer = global.getDelegateTracer === undefined ? global.getTracer(name) : global.getDelegateTracer(name)
  if (tracer === undefined) return undefined
  const provider = global.getDelegate?.() ?? global
  return { tracer, flush: async () => ("forceFlush" in provider ? (provider as Flushed).forceFlush() : undefined) }
}

/** A context whose active span is one that was, or will be, exported elsewhere. */
export const contextOf = (
  api: OtelApi,
  base: Context,
  ids: { readonly traceId: string; readonly spanId: string }
): Context =>
  api.trace.setSpanContext(base, { traceId: ids.traceId, spanId: ids.spanId, traceFlags: api.TraceFlags.SAMPLED })

/** Runs code of the program's OpenTelemetry, such as its span processors: a failure there fails nothing here. */
export const quietly = <A>(run: () => A): A | undefined => {
  try {
    return run()
  } catch {
    return undefined
  }
}
