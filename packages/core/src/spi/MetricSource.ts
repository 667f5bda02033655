/**
 * The port of a metric source: measures releases for gates. A provider may be its own source.
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Percent, Timestamp } from "../domain/Ids.ts"
import type { MetricsSpec } from "../domain/Spec.ts"
import { HealthUnit } from "../domain/Verdict.ts"
import type { ProviderError } from "./ProviderError.ts"
import type { StackRef } from "./StackRef.ts"

/**
 * Measurements of one release from the requested `from` up to `until`.
 *
 * *Details*: `until` is the time up to which the data are complete, at most the requested `to`: a request that was
 * answered before it and is not counted will never be. Latencies in milliseconds; `latency` is null if there was no
 * request or none was timed; `samples` are at most 2,000 latencies drawn evenly, if the source has them. `healthy` is
 * the current value, not the window's, in percent of `healthUnit` (default `instance`); null if the source does not know
 * it, and then the provider is asked to observe it.
 */
export const Measurement = Schema.Struct({
  until: Timestamp,
  requests: Schema.Int,
  errors: Schema.Int,
  latency: Schema.NullOr(
    Schema.Struct({
      mean: Schema.Finite,
      p50: Schema.optionalKey(Schema.Finite),
      p95: Schema.Finite,
      p99: Schema.optionalKey(Schema.Finite)
    })
  ),
  healthy: Schema.NullOr(Percent),
  healthUnit: Schema.optionalKey(HealthUnit),
  samples: Schema.optionalKey(Schema.Array(Schema.Finite))
})
export type Measurement = typeof Measurement.Type

/**
 * Measures releases over a window of time.
 *
 * *Details*: `resolution` is the length of the periods in which it keeps its data, aligned to the epoch; zero if it
 * keeps single requests. `lag` is how long after its end a period may still change. `samples` says whether measurements
 * have single response times, `latency` whether they have response times at all (both default true). Windows are in
 * milliseconds since the epoch. For a source with a resolution or a lag, both ends are ends of periods, `to` is at most
 * the present less the lag, and `until` is the end of the last complete period. `version` is the release's, for sources
 * that know no other name of it. A source with neither counts the last `to` − `from` milliseconds, and its `until` is
 * `to`.
 *
 * *Errors*: `ProviderError`; a window without data is no error, but an answer whose `until` does not advance.
 */
export interface MetricSource {
  readonly resolution: Duration.Duration
  readonly lag: Duration.Duration
  readonly samples?: boolean
  readonly latency?: boolean
  readonly measure: (
    ref: StackRef,
    options: {
      readonly releaseId: string
      readonly version?: string
      readonly from: number
      readonly to: number
    }
  ) => Effect.Effect<Measurement, ProviderError>
}

/**
 * A kind of metric source that stacks can name in `metrics.source`.
 *
 * *Details*: `check` returns the mistake in a stack's `metrics`, if there is one; both only read it.
 */
export interface MetricSourceKind {
  readonly check: (
    metrics: MetricsSpec
  ) => { readonly path: ReadonlyArray<string>; readonly message: string } | undefined
  readonly make: (metrics: MetricsSpec) => MetricSource
}

/**
 * The installed metric sources, by the name that `metrics.source` of a stack says; by default none. Providers may have
 * their own besides.
 */
export const MetricSources = Context.Reference<ReadonlyMap<string, MetricSourceKind>>(
  "@signalbox/core/spi/MetricSource/MetricSources",
  { defaultValue: () => new Map() }
)
