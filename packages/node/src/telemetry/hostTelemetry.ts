/**
 * Traces through the OpenTelemetry of the program that Signalbox runs in.
 */
import { type SpanData, Telemetry, type TelemetryShape } from "@signalbox/core/telemetry"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { hostCaller } from "./HostCaller.ts"
import * as HostTracer from "./HostTracer.ts"
import { type KnownIds, knownIds } from "./KnownIds.ts"
import type { OpenTelemetryMissing } from "./OpenTelemetryMissing.ts"
import { loadApi, type OtelApi, registered } from "./OtelApi.ts"
import { isDisabled } from "./telemetryWanted.ts"

/** Spans between two waits: a processor drops what does not fit into its queue, which holds 2,048 by default. */
const chunk = 256
/** How many decisions are remembered: a sampler that changes its mind would tear a trace apart. */
const remembered = 1_000

const deciding = (sampled: KnownIds["sampled"]): KnownIds["sampled"] => {
  const decisions = new Map<string, boolean>()
  return (traceId) => {
    const before = decisions.get(traceId)
    if (before !== undefined) return before
    const decision = sampled(traceId)
    const [oldest] = decisions.keys()
    if (decisions.size >= remembered && oldest !== undefined) decisions.delete(oldest)
    decisions.set(traceId, decision)
    return decision
  }
}

const sending =
  (api: OtelApi, known: KnownIds, flush: () => Promise<unknown>) =>
  (spans: ReadonlyArray<SpanData>): Effect.Effect<boolean> =>
    Effect.promise(async () => {
      try {
        for (let at = 0; at < spans.length; at += chunk) {
          for (const span of spans.slice(at, at + chunk)) HostTracer.writeSpan(api, known, span)
          await flush()
        }
        return true
      } catch {
        return false
      }
    })

const withoutProvider =
  "no TracerProvider of OpenTelemetry is registered, so nothing is traced: start its SDK before Signalbox"
const withoutIds =
  "this TracerProvider of OpenTelemetry draws the ids of spans itself, so executions have no trace of their own: their provider calls appear below the span that asked for them"

/**
 * Exports Signalbox's traces through the OpenTelemetry that the program has registered, instead of `telemetry`.
 *
 * *When to use*: in a program on Effect with an OpenTelemetry SDK. `connect` takes `telemetry: "host"`.
 *
 * *Details*: spans go through the program's span processors and exporters, in the trace of the correlation id. The root
 * links to the active span that asked for the execution, and that span links to the root. A program on Effect makes its
 * spans active with `@effect/opentelemetry`; its own `Tracer` stays in place.
 * The program's sampler decides about each trace by its id. `warn` is told if no provider is registered, or if one
 * draws the ids of spans itself, so that only provider calls and requests can be traced. Metrics and logs are not
 * exported.
 *
 * *Errors*: `OpenTelemetryMissing` if `@opentelemetry/api` is not installed.
 *
 * *Gotchas*: start the SDK before this layer is built, and shut it down after Signalbox.
 *
 * *Example*
 *
 * ```ts
 * const layer = SignalboxNode.layerEmbedded({ directory: ".signalbox", providers: [local] }).pipe(
 *   Layer.provide(hostTelemetry())
 * )
 * ```
 */
export const hostTelemetry = (
  options: { readonly warn?: (message: string) => void } = {}
): Layer.Layer<never, OpenTelemetryMissing> =>
  Layer.effect(
    Telemetry,
    Effect.map(loadApi, (api): TelemetryShape | undefined => {
      const found = registered(api)
      if (found === undefined) {
        if (!isDisabled(process.env)) options.warn?.(withoutProvider)
        return undefined
      }
      const known = knownIds(api, found.tracer)
      const tracer = HostTracer.make({ ...found, api, known })
      const caller = hostCaller(api)
      if (known !== undefined) {
        const send = sending(api, known, found.flush)
        return { sampled: deciding(known.sampled), parent: undefined, send, tracer, caller }
      }
      options.warn?.(withoutIds)
      const send = () => Effect.succeed(false)
      return { sampled: () => true, parent: undefined, send, tracer, caller, detached: true }
    })
  )
