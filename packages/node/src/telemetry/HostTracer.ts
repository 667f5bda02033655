/**
 * A tracer that makes the spans of Signalbox with the program's own tracer, and makes them active there while they run:
 * what the program's instrumentations see inside a provider call is below that call.
 */
import type { Context as OtelContext, HrTime, Span } from "@opentelemetry/api"
import { allowed, Caller, Own, sanitize, type SpanData } from "@signalbox/core/telemetry"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { nanos } from "./encodeSpan.ts"
import type { HostCaller } from "./HostCaller.ts"
import type { KnownIds } from "./KnownIds.ts"
import { LeftOut, type SpanOptions } from "./LeftOut.ts"
import { contextOf, type OtelApi, quietly, type Registered } from "./OtelApi.ts"

/** The program's OpenTelemetry. Without `known`, its tracer draws the ids of spans. */
export interface Host extends Registered {
  readonly api: OtelApi
  readonly known: KnownIds | undefined
}

/** Nanoseconds since the epoch, as OpenTelemetry takes times. */
const hrTime = (time: bigint): HrTime => [Number(time / 1_000_000_000n), Number(time % 1_000_000_000n)]

const kindOf = ({ SpanKind }: OtelApi, kind: Tracer.SpanKind) =>
  SpanKind[kind.toUpperCase() as Uppercase<Tracer.SpanKind>]

const exported = (attributes: SpanData["attributes"]): SpanData["attributes"] =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => allowed.has(name)))

/** Starts and ends a span of a log, under its own ids. */
export const writeSpan = (api: OtelApi, known: KnownIds, span: SpanData): void => {
  const { attributes, events, links, message, name, parentSpanId, status, traceId } = span
  const within =
    parentSpanId === undefined ? api.ROOT_CONTEXT : contextOf(api, api.ROOT_CONTEXT, { traceId, spanId: parentSpanId })
  const options = {
    kind: kindOf(api, span.kind),
    startTime: hrTime(nanos(span.start)),
    attributes: exported(attributes),
    links: links.map((link) => ({
      context: { traceId: link.traceId, spanId: link.spanId, traceFlags: api.TraceFlags.SAMPLED },
      attributes: exported(link.attributes)
    }))
  }
  const made = known.tracer(span).startSpan(name, options, within)
  for (const event of events) made.addEvent(event.name, exported(event.attributes), hrTime(nanos(event.at)))
  if (status === "ok") made.setStatus({ code: api.SpanStatusCode.OK })
  if (status === "error") {
    made.setStatus({ code: api.SpanStatusCode.ERROR, ...(message === undefined ? {} : { message }) })
  }
  made.end(hrTime(nanos(Math.max(span.start, span.end))))
}

/** A live span of Signalbox. */
class HostSpan extends Tracer.NativeSpan {
  readonly #api: OtelApi
  readonly span: Span

  constructor(options: SpanOptions, { api, known, tracer }: Host, within: OtelContext) {
    super(options)
    this.#api = api
    const ids = { traceId: super.traceId, spanId: super.spanId }
    const start = { kind: kindOf(api, options.kind), startTime: hrTime(options.startTime) }
    this.span =
      quietly(() => (known?.tracer(ids) ?? tracer).startSpan(options.name, start, within)) ??
      api.trace.wrapSpanContext({ ...ids, traceFlags: api.TraceFlags.NONE })
  }

  override get traceId(): string {
    return this.span.spanContext().traceId
  }

  override get spanId(): string {
    return this.span.spanContext().spanId
  }

  override attribute(key: string, value: unknown): void {
    if (!allowed.has(key)) return
    super.attribute(key, value)
    quietly(() => this.span.setAttribute(key, value as string | number | boolean))
  }

  override end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    if (this.status._tag === "Ended") return
    super.end(endTime, exit)
    const { SpanStatusCode } = this.#api
    quietly(() => {
      if (exit._tag === "Success") this.span.setStatus({ code: SpanStatusCode.OK })
      else if (!Cause.hasInterruptsOnly(exit.cause)) {
        const error = Cause.squash(exit.cause)
        const message = error instanceof Error ? { message: sanitize(error.message) } : {}
        this.span.setStatus({ code: SpanStatusCode.ERROR, ...message })
      }
      this.span.end(hrTime(endTime))
    })
  }
}

/** The program's context for what happens inside a span; undefined if the span is not one of Signalbox. */
const inside = (host: Host, span: Tracer.AnySpan | undefined): OtelContext | undefined => {
  const { api, known } = host
  if (span instanceof LeftOut) return inside(host, span.above)
  if (span instanceof HostSpan) return api.trace.setSpan(api.context.active(), span.span)
  if (span?._tag !== "ExternalSpan" || !Context.get(span.annotations, Own)) return undefined
  if (known !== undefined) return contextOf(api, api.context.active(), span)
  return (Context.get(span.annotations, Caller) as HostCaller | undefined)?.context
}

/** The same, remembered: the tracer asks for every step of a fiber. */
const remembering = (host: Host): ((span: Tracer.AnySpan | undefined) => OtelContext | undefined) => {
  const known = new WeakMap<
    Tracer.AnySpan,
    { readonly around: OtelContext; readonly within: OtelContext | undefined }
  >()
  return (span) => {
    if (span === undefined) return undefined
    const around = host.api.context.active()
    const before = known.get(span)
    if (before?.around === around) return before.within
    const within = inside(host, span)
    known.set(span, { around, within })
    return within
  }
}

/** The tracer. */
export const make = (host: Host): Tracer.Tracer => {
  const contextIn = remembering(host)
  return Tracer.make({
    span: (options) =>
      Context.get(options.annotations, Own)
        ? new HostSpan(options, host, contextIn(Option.getOrUndefined(options.parent)) ?? host.api.context.active())
        : new LeftOut(options),
    context: (primitive, fiber) => {
      const within = contextIn(fiber.cache.span)
      return within === undefined
        ? primitive["~effect/Effect/evaluate"](fiber)
        : host.api.context.with(within, () => primitive["~effect/Effect/evaluate"](fiber))
    }
  })
}
