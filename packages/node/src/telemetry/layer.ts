/**
 * OpenTelemetry for Signalbox: traces, metrics and logs over OTLP/HTTP, as the `OTEL_*` variables say.
 */
import { type SpanData, sanitize, Telemetry } from "@signalbox/core/telemetry"
import * as Cause from "effect/Cause"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as OtlpExporter from "effect/observability/OtlpExporter"
import * as OtlpLogger from "effect/observability/OtlpLogger"
import * as OtlpMetrics from "effect/observability/OtlpMetrics"
import * as OtlpResource from "effect/observability/OtlpResource"
import { OtlpSerialization } from "effect/observability/OtlpSerialization"
import type { TraceData } from "effect/observability/OtlpTracer"
import * as Tracer from "effect/Tracer"
import * as Collector from "./Collector.ts"
import { encodeSpan, type OtlpSpan } from "./encodeSpan.ts"
import { type OtelEnvironment, otelEnvironment, type SignalOptions } from "./OtelEnvironment.ts"
import * as SignalboxTracer from "./SignalboxTracer.ts"

/** How long the end of a program waits for its buffers. With the engine's wait for roots, under 2 s. */
const patience = Duration.millis(600)
/** An exporter's additional wait when it is closed after that. */
const closing = Duration.millis(50)
/** Spans in one request: some collectors reject more than 4 MB. */
const chunk = 2_000

interface Setting {
  readonly otel: OtelEnvironment
  readonly resource: {
    readonly serviceName: string
    readonly serviceVersion: string
    readonly attributes: Record<string, unknown>
  }
}

const dataOf = ({ resource }: Setting, spans: ReadonlyArray<OtlpSpan>): TraceData => ({
  resourceSpans: [
    {
      resource: OtlpResource.make(resource),
      scopeSpans: [{ scope: { name: "@signalbox/core", version: resource.serviceVersion }, spans: [...spans] }]
    }
  ]
})

const shape = (message: unknown): unknown => {
  if (typeof message === "number" || typeof message === "boolean") return message
  if (message instanceof Error) return sanitize(message.message)
  return sanitize(typeof message === "string" ? message : (JSON.stringify(message) ?? String(message)))
}

/** Log records keep their text, without anything that looks like a credential, and only the message of errors. */
const careful = (logger: Logger.Logger<unknown, void>): Logger.Logger<unknown, void> =>
  Logger.make((options) => {
    const messages = (Array.isArray(options.message) ? options.message : [options.message]).map(shape)
    const cause = options.cause.reasons.length === 0 ? [] : [shape(Cause.squash(options.cause))]
    logger.log({ ...options, message: [...messages, ...cause].join(": "), cause: Cause.empty })
  })

const exporting = ({ compression, headers, url }: SignalOptions) => ({
  url,
  headers,
  compression,
  shutdownTimeout: closing
})

const tracing = (setting: Setting, options: SignalOptions) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const context = yield* Effect.context<Effect.Services<ReturnType<typeof Collector.post>>>()
      const { traces } = yield* OtlpSerialization
      const { push } = yield* OtlpExporter.make({
        ...exporting(options),
        label: "OtlpTracer",
        exportInterval: Duration.millis(options.interval),
        maxBatchSize: options.batch,
        body: (spans) => [traces(dataOf(setting, spans)), Effect.void]
      })
      const send = (spans: ReadonlyArray<SpanData>): Effect.Effect<boolean> => {
        const chunks = Array.from({ length: Math.ceil(spans.length / chunk) }, (_, n) =>
          spans.slice(n * chunk, (n + 1) * chunk).map((span) => encodeSpan(span))
        )
        return Effect.forEach(chunks, (some) => Collector.post(options, dataOf(setting, some)), { discard: true }).pipe(
          Effect.as(true),
          Effect.catchCause((cause) => (Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.succeed(false))),
          Effect.provideContext(context)
        )
      }
      return Layer.merge(
        Layer.succeed(Tracer.Tracer, SignalboxTracer.make(push)),
        Layer.succeed(Telemetry, { sampled: setting.otel.sampler, parent: setting.otel.parent, send })
      )
    })
  ).pipe(Layer.provide([Collector.client(options), Collector.serialization(options)]))

const measuring = (setting: Setting, options: SignalOptions) =>
  OtlpMetrics.layer({
    ...exporting(options),
    resource: setting.resource,
    exportInterval: Duration.millis(options.interval),
    temporality: setting.otel.temporality
  }).pipe(Layer.provide([Collector.client(options), Collector.serialization(options)]))

const logging = (setting: Setting, options: SignalOptions) =>
  Logger.layer(
    [
      Effect.map(
        OtlpLogger.make({
          ...exporting(options),
          resource: setting.resource,
          exportInterval: Duration.millis(options.interval),
          maxBatchSize: options.batch,
          excludeLogSpans: true
        }),
        careful
      )
    ],
    { mergeWithExisting: true }
  ).pipe(Layer.provide([Collector.client(options), Collector.serialization(options)]))

/** Registered last, it runs first: buffers are sent while everything still exists, with a time limit. */
const flushing = Layer.effectDiscard(
  Effect.flatMap(OtlpExporter.Flusher, ({ flush }) =>
    Effect.addFinalizer(() => flush.pipe(Effect.interruptible, Effect.timeoutOption(patience)))
  )
)

/**
 * Exports Signalbox's telemetry as configured by the environment; nothing at all if `telemetryWanted` is false.
 *
 * *Details*: spans and the sampling decision are references, so layers built on this one find them. A slow or missing
 * collector never fails an execution, and delays the end of the program by less than two seconds. Log records carry
 * trace and span ids. The service is `signalbox` unless `OTEL_SERVICE_NAME` names another.
 *
 * *Gotchas*: OTLP over gRPC is not supported; certificates come from Node (`NODE_EXTRA_CA_CERTS`).
 *
 * *Example*
 *
 * ```ts
 * const layer = Signalbox.layer.pipe(
 *   Layer.provideMerge(embeddedStore({ directory: ".signalbox" })),
 *   Layer.provideMerge(telemetry({ env: process.env, version: "1.0.0" }))
 * )
 * ```
 */
export const telemetry = (options: {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly version: string
  readonly warn?: (message: string) => void
}): Layer.Layer<never> => {
  const otel = otelEnvironment(options.env)
  for (const warning of otel.warnings) options.warn?.(warning)
  const setting: Setting = {
    otel,
    resource: {
      serviceName: otel.serviceName,
      serviceVersion: options.version,
      attributes: { "service.instance.id": crypto.randomUUID(), "process.pid": process.pid, ...otel.resource }
    }
  }
  const { LOGS, METRICS, TRACES } = otel.signals
  const silent = Layer.succeed(Telemetry, {
    sampled: () => false,
    parent: undefined,
    send: () => Effect.succeed(false)
  })
  const signals = Layer.mergeAll(
    TRACES === undefined ? (METRICS === undefined ? Layer.empty : silent) : tracing(setting, TRACES),
    METRICS === undefined ? Layer.empty : measuring(setting, METRICS),
    LOGS === undefined ? Layer.empty : logging(setting, LOGS)
  )
  return flushing.pipe(
    Layer.provideMerge(signals),
    Layer.provide(OtlpExporter.layerFlusher),
    // The variables were read above; Effect's own parsing would end the program over a mistake in one.
    Layer.provide(Layer.succeed(ConfigProvider.ConfigProvider, ConfigProvider.fromUnknown({})))
  ) as Layer.Layer<never>
}
