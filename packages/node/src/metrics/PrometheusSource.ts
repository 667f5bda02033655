/**
 * The metric source `prometheus`: any server that speaks the query API of Prometheus (Thanos, Mimir, VictoriaMetrics).
 *
 * *Source*: https://prometheus.io/docs/prometheus/latest/querying/api/#range-queries
 */
import {
  type Measurement,
  type MetricSource,
  type MetricSourceKind,
  type MetricsSpec,
  ProviderError,
  type ProviderReason
} from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

/**
 * The queries of a stack, by measurement.
 *
 * *Details*: `requests` and `errors` count one period each, such as
 * `sum(increase(http_requests_total{version="$version"}[$window]))`. `mean` and `p95` are response times in seconds over
 * the whole window; only both together are judged. `healthy` is a percentage. In each, `$version` and `$release` stand
 * for the release, `$window` for the time that the query has to cover.
 */
const needed = ["requests", "errors"] as const
const optional = ["mean", "p95", "healthy"] as const

const Answer = Schema.Struct({
  data: Schema.Struct({
    resultType: Schema.Literal("matrix"),
    result: Schema.Array(Schema.Struct({ values: Schema.Array(Schema.Tuple([Schema.Finite, Schema.String])) }))
  })
})
const decode = Schema.decodeUnknownOption(Answer)

interface Point {
  readonly at: number
  readonly value: number
}

const patience = 10_000

const check: MetricSourceKind["check"] = ({ lag, queries, url }) => {
  const missing = needed.find((name) => queries[name] === undefined)
  if (missing !== undefined) return { path: ["queries", missing], message: `the query "${missing}" is missing` }
  const names: ReadonlyArray<string> = [...needed, ...optional]
  const unknown = Object.keys(queries).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    return { path: ["queries", unknown], message: `"${unknown}" is none of the queries ${names.join(", ")}` }
  }
  if ((queries["mean"] === undefined) !== (queries["p95"] === undefined)) {
    return { path: ["queries"], message: `the queries "mean" and "p95" belong together` }
  }
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? "")) {
    return { path: ["url"], message: "expected an address such as http://prometheus:9090" }
  }
  return Duration.isFinite(lag) ? undefined : { path: ["lag"], message: "the lag has no end" }
}

const reasonOf = (status: number, text: string): ProviderReason => {
  const message = `the metric source answered ${status}${text === "" ? "" : `: ${text.slice(0, 200)}`}`
  if (status === 401 || status === 403) return { _tag: "Denied", message }
  if (status === 429) return { _tag: "Throttled", message, retryAfterMs: 5_000 }
  if (status === 400 || status === 422) return { _tag: "Invalid", message, path: ["metrics", "queries"] }
  return status >= 500 ? { _tag: "Unavailable", message } : { _tag: "Unexpected", message }
}

/** A value inside a quoted label. */
const quoted = (value: string): string => value.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll("\n", String.raw`\n`)

/**
 * The kind `prometheus`, for `MetricSources`.
 *
 * *Details*: `env` is where `tokenFrom` is looked up.
 */
export const kind = (env: Readonly<Record<string, string | undefined>>): MetricSourceKind => ({
  check,
  make: (metrics) => make(metrics, env)
})

const make = (metrics: MetricsSpec, env: Readonly<Record<string, string | undefined>>): MetricSource => {
  const { queries, resolution } = metrics
  const period = Duration.toMillis(resolution)
  const address = `${metrics.url.replace(/\/+$/, "")}/api/v1/query_range`

  const fetched = (
    query: string,
    start: number,
    end: number
  ): Effect.Effect<ReadonlyArray<ReadonlyArray<Point>>, ProviderReason> =>
    Effect.gen(function* () {
      const token = metrics.tokenFrom === undefined ? undefined : env[metrics.tokenFrom]
      if (metrics.tokenFrom !== undefined && token === undefined) {
        const message = `the environment variable ${metrics.tokenFrom} is not set`
        return yield* Effect.fail<ProviderReason>({ _tag: "Denied", message })
      }
      const form = new URLSearchParams({
        query,
        start: String(start / 1_000),
        end: String(end / 1_000),
        step: String(period / 1_000)
      })
      const { body, status } = yield* Effect.tryPromise({
        try: async (signal) => {
          const answered = await fetch(`${address}?${form}`, {
            signal: AbortSignal.any([signal, AbortSignal.timeout(patience)]),
            ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } })
          })
          return { status: answered.status, body: await answered.text() }
        },
        catch: (): ProviderReason => ({ _tag: "Unavailable", message: `${address} does not answer` })
      })
      if (status !== 200) return yield* Effect.fail(reasonOf(status, body))
      const answer = decode(parsed(body))
      return Option.isSome(answer)
        ? answer.value.data.result.map(({ values }) =>
            values
              // "NaN" is the quantile of nothing.
              .map(([at, value]) => ({ at: at * 1_000, value: Number(value) }))
              .filter(({ value }) => Number.isFinite(value))
          )
        : yield* Effect.fail<ProviderReason>({ _tag: "Unexpected", message: `${address} gave no matrix of numbers` })
    })

  return {
    resolution,
    lag: metrics.lag,
    samples: false,
    latency: queries["p95"] !== undefined,
    measure: (ref, { from, releaseId, to, version = "" }) => {
      const ask = (name: string, window: number, start: number, end: number) => {
        const query = queries[name]
        return query === undefined
          ? Effect.succeed([])
          : fetched(
              query
                .replaceAll("$release", quoted(releaseId))
                .replaceAll("$version", quoted(version))
                .replaceAll("$window", `${Math.round(window / 1_000)}s`),
              start,
              end
            )
      }
      const last = (name: string, until: number) =>
        Effect.map(ask(name, until - from, until, until), (series) => series[0]?.at(-1)?.value)

      const measured: Effect.Effect<Measurement, ProviderReason> = Effect.gen(function* () {
        if (to <= from) return { until: to, requests: 0, errors: 0, latency: null, healthy: null }
        // A point counts the period before it, so the first one is at the end of the first period.
        const { errors, requests } = yield* Effect.all(
          { requests: ask("requests", period, from + period, to), errors: ask("errors", period, from + period, to) },
          { concurrency: 2 }
        )
        // A release without requests has no series. A series that ends early is not complete yet.
        const points = requests.flat()
        const until = points.length === 0 ? to : Math.min(to, Math.max(...points.map(({ at }) => at)))
        const sum = (series: ReadonlyArray<ReadonlyArray<Point>>) =>
          Math.round(series.flat().reduce((total, { at, value }) => (at <= until ? total + value : total), 0))
        const { healthy, mean, p95 } = yield* Effect.all(
          { mean: last("mean", until), p95: last("p95", until), healthy: last("healthy", until) },
          { concurrency: 3 }
        )
        return {
          until,
          requests: sum(requests),
          errors: Math.min(sum(errors), sum(requests)),
          latency: mean === undefined || p95 === undefined ? null : { mean: 1_000 * mean, p95: 1_000 * p95 },
          healthy: healthy === undefined ? null : Math.min(100, Math.max(0, healthy))
        }
      })
      return Effect.mapError(
        measured,
        (reason) => new ProviderError({ provider: metrics.source, operation: "measure", stackName: ref.stack, reason })
      )
    }
  }
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
