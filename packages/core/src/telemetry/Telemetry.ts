/**
 * Whether, and where, telemetry goes. Off unless a runtime provides it; then nothing is created or measured.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Tracer from "effect/Tracer"
import { rootSpanIdOf, traceIdOf } from "./Ids.ts"
import { Attribute, type Attributes, LinkKind } from "./Names.ts"
import { type SpanReference, traceEnvironment } from "./TraceContext.ts"

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
 * The span that a request comes from, in a program that traces itself.
 *
 * *Details*: `parent` is its `traceparent`, undefined if it is not exported. `link` adds a link to it.
 */
export interface CallerSpan {
  readonly parent: string | undefined
  readonly link: (to: SpanReference, attributes: Attributes) => void
}

/**
 * The services of a runtime.
 *
 * *Details*: `sampled` decides for a whole trace by its id, so that all processes make the same decision. `parent` is
 * the span of the CI job (or other program) that started this process, from `TRACEPARENT`. `send` tells whether the
 * spans arrived; it never fails, and gives up in time.
 *
 * Inside a program that traces itself, `caller` finds the span that a request comes from, and `tracer` makes the live
 * spans, so that the program keeps its own `Tracer`. With `detached`, they go into the caller's trace: this process
 * then sends no spans from the log, and promises none.
 */
export interface TelemetryShape {
  readonly sampled: (traceId: string) => boolean
  readonly parent: string | undefined
  readonly send: (spans: ReadonlyArray<SpanData>) => Effect.Effect<boolean>
  readonly tracer?: Tracer.Tracer
  readonly caller?: Effect.Effect<CallerSpan | undefined>
  readonly detached?: true
}

export const Telemetry = Context.Reference<TelemetryShape | undefined>("@signalbox/core/telemetry/Telemetry", {
  defaultValue: () => undefined
})

/**
 * Marks our own spans, among all the spans of the underlying libraries.
 */
export const Own = Context.Reference<boolean>("@signalbox/core/telemetry/Own", { defaultValue: () => false })

/** The span that the current request comes from. */
export const Caller = Context.Reference<CallerSpan | undefined>("@signalbox/core/telemetry/Caller", {
  defaultValue: () => undefined
})

const own = Context.make(Own, true)

/** Telemetry, if it is on and samples this execution. */
export const tracing = (correlationId: string): Effect.Effect<TelemetryShape | undefined> =>
  Effect.map(Telemetry, (telemetry) =>
    telemetry !== undefined && telemetry.sampled(traceIdOf(correlationId)) ? telemetry : undefined
  )

/** Telemetry, if it is on, samples this execution, and sends the spans of its log. */
export const rooted = (correlationId: string): Effect.Effect<TelemetryShape | undefined> =>
  Effect.map(tracing(correlationId), (telemetry) => (telemetry?.detached === true ? undefined : telemetry))

/** Notes which span a request comes from, before it runs in the context of `telemetry`. */
export const calledFrom =
  (telemetry: TelemetryShape | undefined) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    telemetry?.caller === undefined
      ? effect
      : Effect.flatMap(telemetry.caller, (caller) => Effect.provideService(effect, Caller, caller))

/** Links the span that a request comes from to the root of an execution. */
export const linkCaller = (correlationId: string): Effect.Effect<void> =>
  Effect.flatMap(rooted(correlationId), (telemetry) =>
    telemetry === undefined
      ? Effect.void
      : Effect.map(Caller, (caller) =>
          caller?.link(
            { traceId: traceIdOf(correlationId), spanId: rootSpanIdOf(correlationId) },
            { [Attribute.link]: LinkKind.causes, [Attribute.correlationId]: correlationId }
          )
        )
  )

/** The environment for a command of an execution: it continues the trace that this process writes to. */
export const commandEnvironment = (
  correlationId: string,
  env: Readonly<Record<string, string | undefined>>
): Effect.Effect<Readonly<Record<"TRACEPARENT" | "TRACESTATE" | "BAGGAGE", string | undefined>>> =>
  Effect.gen(function* () {
    const telemetry = yield* Telemetry
    const sampled = telemetry === undefined || telemetry.sampled(traceIdOf(correlationId))
    const environment = traceEnvironment(correlationId, { env, sampled })
    if (telemetry?.detached !== true) return environment
    return { ...environment, TRACEPARENT: (yield* Caller)?.parent }
  })

const external = (correlationId: string, spanId: string, caller: CallerSpan | undefined) =>
  Tracer.externalSpan({
    traceId: traceIdOf(correlationId),
    spanId,
    sampled: true,
    annotations: Context.add(own, Caller, caller)
  })

const withTracer =
  ({ tracer }: TelemetryShape) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    tracer === undefined ? effect : Effect.provideService(effect, Tracer.Tracer, tracer)

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
      return Effect.flatMap(Caller, (caller) =>
        Effect.withSpan(effect, name, {
          kind: kind ?? "internal",
          attributes: { ...attributes, [Attribute.correlationId]: correlationId },
          annotations: own,
          captureStackTrace: false,
          ...(root === true ? { parent: external(correlationId, rootSpanIdOf(correlationId), caller) } : {})
        })
      ).pipe(withTracer(telemetry)) as Effect.Effect<A, E, R>
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
        : Effect.flatMap(Caller, (caller) =>
            effect.pipe(
              Effect.provideService(Tracer.ParentSpan, external(correlationId, spanId(), caller)),
              Effect.annotateLogs(Attribute.correlationId, correlationId),
              withTracer(telemetry)
            )
          )
    ) as Effect.Effect<A, E, R>

/** Adds attributes to the enclosing live span, if there is one. */
export const annotate = (attributes: () => Attributes): Effect.Effect<void> =>
  Effect.flatMap(Telemetry, (telemetry) =>
    telemetry === undefined ? Effect.void : Effect.ignore(Effect.annotateCurrentSpan(attributes()))
  )
