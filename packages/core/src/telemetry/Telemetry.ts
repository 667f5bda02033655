/**
 * Whether, and where, telemetry goes. Off unless a runtime provides it; then nothing is created or measured.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { rootSpanIdOf, traceIdOf } from "./Ids.ts"
import { Attribute, type Attributes } from "./Names.ts"
import type { SpanReference } from "./TraceContext.ts"

/**
 * A finished span with its own id.
 *
 * *Details*: times are in milliseconds since the epoch. Only the root has no `parentSpanId`.
 */
export interface SpanData {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: Tracer.SpanKind
  readonly start: number
  readonly end: number
  readonly status: "unset" | "ok" | "error"
  readonly message?: string
  readonly attributes: Attributes
  readonly events: ReadonlyArray<{ readonly name: string; readonly at: number; readonly attributes: Attributes }>
  readonly links: ReadonlyArray<SpanReference & { readonly attributes: Attributes }>
}

/**
 * The services of a runtime.
 *
 * *Details*: `sampled` decides for a whole trace by its id, so that all processes make the same decision. `parent` is
 * the span of the CI job (or other program) that started this process, from `TRACEPARENT`. `send` tells whether the
 * spans arrived; it never fails, and gives up in time.
 */
export interface TelemetryShape {
  readonly sampled: (traceId: string) => boolean
  readonly parent: string | undefined
  readonly send: (spans: ReadonlyArray<SpanData>) => Effect.Effect<boolean>
}

export const Telemetry = Context.Reference<TelemetryShape | undefined>("@signalbox/core/telemetry/Telemetry", {
  defaultValue: () => undefined
})

/**
 * Marks our own spans, among all the spans of the underlying libraries.
 */
export const Own = Context.Reference<boolean>("@signalbox/core/telemetry/Own", { defaultValue: () => false })

const own = Context.make(Own, true)

/** Telemetry, if it is on and samples this execution. */
export const tracing = (correlationId: string): Effect.Effect<TelemetryShape | undefined> =>
  Effect.map(Telemetry, (telemetry) =>
    telemetry !== undefined && telemetry.sampled(traceIdOf(correlationId)) ? telemetry : undefined
  )

const external = (correlationId: string, spanId: string) =>
  Tracer.externalSpan({ traceId: traceIdOf(correlationId), spanId, sampled: true })

/** A live span. */
export interface LiveSpan {
  readonly name: string
  readonly kind?: Tracer.SpanKind
  readonly attributes: Attributes
  /** With `root`, it is a child of the execution's root; otherwise of the enclosing span. */
  readonly root?: true
}

/**
 * Runs an effect in a live span of an execution's trace, if telemetry is on. Otherwise `span` is not even evaluated.
 */
export const traced =
  (correlationId: string, span: () => LiveSpan) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(tracing(correlationId), (telemetry) => {
      if (telemetry === undefined) return effect
      const { attributes, kind, name, root } = span()
      return Effect.withSpan(effect, name, {
        kind: kind ?? "internal",
        attributes: { ...attributes, [Attribute.correlationId]: correlationId },
        annotations: own,
        captureStackTrace: false,
        ...(root === true ? { parent: external(correlationId, rootSpanIdOf(correlationId)) } : {})
      }) as Effect.Effect<A, E, R>
    })

/**
 * Runs an effect inside a span that is exported elsewhere, or later: it is the parent of live spans, and logs carry its
 * id.
 */
export const inside =
  (correlationId: string, spanId: () => string) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(tracing(correlationId), (telemetry) =>
      telemetry === undefined
        ? effect
        : (effect.pipe(
            Effect.provideService(Tracer.ParentSpan, external(correlationId, spanId())),
            Effect.annotateLogs(Attribute.correlationId, correlationId)
          ) as Effect.Effect<A, E, R>)
    )

/** Adds attributes to the enclosing live span, if there is one. */
export const annotate = (attributes: () => Attributes): Effect.Effect<void> =>
  Effect.flatMap(Telemetry, (telemetry) =>
    telemetry === undefined ? Effect.void : Effect.ignore(Effect.annotateCurrentSpan(attributes()))
  )
