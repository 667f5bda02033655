/**
 * The `OTEL_*` variables, read as the OpenTelemetry specification says: an empty variable counts as unset, and an
 * invalid value is reported and ignored, never an error.
 *
 * *Source*: OpenTelemetry specification 1.5x, "Environment Variable Specification", "OTLP Exporter", "Trace SDK".
 */
import { type Sampler, samplerOf } from "./Sampler.ts"

type Env = Readonly<Record<string, string | undefined>>
export type Signal = "TRACES" | "METRICS" | "LOGS"

/** Where and how one signal is sent. Times are in milliseconds. */
export interface SignalOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly protocol: "http/json" | "http/protobuf"
  readonly compression: "gzip" | "none"
  /** The time limit of one request (default 10 s). */
  readonly timeout: number
  /** How often data is sent (default: traces 5 s, logs 1 s, metrics 60 s). */
  readonly interval: number
  readonly batch: number
}

export interface OtelEnvironment {
  readonly signals: Readonly<Partial<Record<Signal, SignalOptions>>>
  readonly sampler: Sampler
  readonly serviceName: string
  readonly resource: Readonly<Record<string, string>>
  readonly temporality: "cumulative" | "delta"
  /** The `traceparent` of what started this process. */
  readonly parent: string | undefined
  /** Invalid values, one sentence each. */
  readonly warnings: ReadonlyArray<string>
}

const defaultEndpoint = "http://localhost:4318"

const decode = (text: string): string | undefined => {
  try {
    return decodeURIComponent(text.trim())
  } catch {
    return undefined
  }
}

/** `key=value,key=value`, values percent-encoded. */
const pairs = (text: string | undefined): Readonly<Record<string, string>> =>
  Object.fromEntries(
    (text ?? "").split(",").flatMap((pair) => {
      const at = pair.indexOf("=")
      const value = at <= 0 ? undefined : decode(pair.slice(at + 1))
      return value === undefined ? [] : [[pair.slice(0, at).trim(), value] as const]
    })
  )

/** Reads the variables. */
export const otelEnvironment = (env: Env): OtelEnvironment => {
  const warnings: Array<string> = []
  const read = (name: string): string | undefined => env[name]?.trim() || undefined
  const either = (signal: Signal, name: string) =>
    read(`OTEL_EXPORTER_OTLP_${signal}_${name}`) ?? read(`OTEL_EXPORTER_OTLP_${name}`)
  const ignored = (name: string, hint: string) =>
    void warnings.push(`${name} is not understood and was ignored: ${hint}`)

  const number = (name: string, fallback: number): number => {
    const text = read(name)
    if (text === undefined) return fallback
    if (/^\d{1,9}$/.test(text)) return Number(text)
    ignored(name, "a number of milliseconds or items is expected")
    return fallback
  }

  const urlOf = (signal: Signal): string | undefined => {
    const own = read(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`)
    const base = read("OTEL_EXPORTER_OTLP_ENDPOINT") ?? defaultEndpoint
    const name = own === undefined ? "OTEL_EXPORTER_OTLP_ENDPOINT" : `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`
    const url = URL.parse(own ?? `${base.replace(/\/+$/, "")}/v1/${signal.toLowerCase()}`)
    if (url !== null && /^https?:$/.test(url.protocol)) return url.href
    ignored(name, "an http:// or https:// address is expected")
    return undefined
  }

  const protocolOf = (signal: Signal): SignalOptions["protocol"] => {
    const text = either(signal, "PROTOCOL")
    if (text === "http/json") return text
    if (text !== undefined && text !== "http/protobuf") {
      ignored("OTEL_EXPORTER_OTLP_PROTOCOL", `there are http/json and http/protobuf, not ${text}`)
    }
    return "http/protobuf"
  }

  const intervals = {
    TRACES: () => number("OTEL_BSP_SCHEDULE_DELAY", 5_000),
    METRICS: () => number("OTEL_METRIC_EXPORT_INTERVAL", 60_000),
    LOGS: () => number("OTEL_BLRP_SCHEDULE_DELAY", 1_000)
  }
  const batches = {
    TRACES: () => number("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", 512),
    METRICS: () => 512,
    LOGS: () => number("OTEL_BLRP_MAX_EXPORT_BATCH_SIZE", 512)
  }

  const signalOf = (signal: Signal): SignalOptions | undefined => {
    const exporters = read(`OTEL_${signal}_EXPORTER`)?.toLowerCase()
    const endpoint = either(signal, "ENDPOINT")
    if (exporters === undefined ? endpoint === undefined : !exporters.split(",").some((one) => one.trim() === "otlp")) {
      return undefined
    }
    const url = urlOf(signal)
    if (url === undefined) return undefined
    return {
      url,
      headers: { ...pairs(read("OTEL_EXPORTER_OTLP_HEADERS")), ...pairs(read(`OTEL_EXPORTER_OTLP_${signal}_HEADERS`)) },
      protocol: protocolOf(signal),
      compression: either(signal, "COMPRESSION") === "gzip" ? "gzip" : "none",
      timeout: number(
        read(`OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`) === undefined
          ? "OTEL_EXPORTER_OTLP_TIMEOUT"
          : `OTEL_EXPORTER_OTLP_${signal}_TIMEOUT`,
        10_000
      ),
      interval: Math.max(10, intervals[signal]()),
      batch: Math.max(1, batches[signal]())
    }
  }

  const [traces, metrics, logs] = (["TRACES", "METRICS", "LOGS"] as const).map(signalOf)
  const { "service.name": named, ...resource } = pairs(read("OTEL_RESOURCE_ATTRIBUTES"))
  const propagators = read("OTEL_PROPAGATORS")
    ?.toLowerCase()
    .split(",")
    .map((one) => one.trim())
  const sampler = samplerOf(read("OTEL_TRACES_SAMPLER"), read("OTEL_TRACES_SAMPLER_ARG"))
  if (sampler.problem !== undefined) ignored("OTEL_TRACES_SAMPLER", sampler.problem)
  return {
    signals: {
      ...(traces === undefined ? {} : { TRACES: traces }),
      ...(metrics === undefined ? {} : { METRICS: metrics }),
      ...(logs === undefined ? {} : { LOGS: logs })
    },
    sampler: sampler.sampler,
    serviceName: read("OTEL_SERVICE_NAME") ?? (named || "signalbox"),
    resource,
    temporality:
      read("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE")?.toLowerCase() === "delta" ? "delta" : "cumulative",
    parent: propagators === undefined || propagators.includes("tracecontext") ? read("TRACEPARENT") : undefined,
    warnings: [...new Set(warnings)]
  }
}
