/**
 * Metric sources of plug-ins, in both directions.
 */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { MetricsSpec } from "../domain/Spec.ts"
import { Measurement, type MetricSource, type MetricSourceKind } from "../spi/MetricSource.ts"
import { ProviderError } from "../spi/ProviderError.ts"
import { reasonOf, settled } from "./fromPlugin.ts"
import type { PlainMetrics, PlainMetricSource } from "./PlainMetricSource.ts"
import type { Plugin, PluginContext, PluginMetrics, PluginMetricSource } from "./Plugin.ts"

const plainMetrics = ({ lag, resolution, ...metrics }: MetricsSpec): PlainMetrics => ({
  ...metrics,
  resolutionMs: Duration.toMillis(resolution),
  lagMs: Duration.toMillis(lag)
})

const specOf = ({ lagMs, resolutionMs, ...metrics }: PlainMetrics): MetricsSpec => ({
  ...metrics,
  resolution: Duration.millis(resolutionMs),
  lag: Duration.millis(lagMs)
})

const described = (source: MetricSource): PluginMetrics => ({
  resolutionMs: Duration.toMillis(source.resolution),
  lagMs: Duration.toMillis(source.lag),
  ...(source.samples === undefined ? {} : { samples: source.samples }),
  ...(source.latency === undefined ? {} : { latency: source.latency })
})

/**
 * A metric source of a plug-in, as the engine uses it. Its module is loaded by the first measurement, and again after a
 * failure; a wrong answer is `Unexpected` and names the field.
 */
export const fromMetricSource = (
  name: string,
  plugin: PluginMetricSource,
  context: PluginContext
): MetricSourceKind => {
  let loading: Promise<PlainMetricSource> | undefined
  const loaded = () =>
    (loading ??= Promise.resolve(plugin.load(context)).catch((error) => {
      loading = undefined
      throw error
    }))
  return {
    check: (metrics) => plugin.check?.(plainMetrics(metrics)),
    make: (spec) => {
      const metrics = plainMetrics(spec)
      const { lagMs, latency, resolutionMs, samples } = plugin.describe?.(metrics) ?? {}
      return {
        resolution: Duration.millis(resolutionMs ?? metrics.resolutionMs),
        lag: Duration.millis(lagMs ?? metrics.lagMs),
        samples: samples ?? false,
        ...(latency === undefined ? {} : { latency }),
        measure: (ref, options) => {
          const failure = (error: unknown) =>
            new ProviderError({ provider: name, operation: "measure", stackName: ref.stack, reason: reasonOf(error) })
          return settled(
            async (signal) => (await loaded()).measure({ signal, ref, metrics, ...options }),
            failure
          ).pipe(
            Effect.flatMap((answer) =>
              Effect.mapError(Schema.decodeUnknownEffect(Measurement)(answer), (error) =>
                failure(
                  new Error(`${name} gave a wrong answer to measure: ${error.message.replaceAll(/\s*\n\s*/g, " ")}`)
                )
              )
            )
          )
        }
      }
    }
  }
}

/** The metric sources of all plug-ins, by name. */
export const metricSourcesOf = (
  plugins: ReadonlyArray<Plugin>,
  context: PluginContext
): ReadonlyMap<string, MetricSourceKind> =>
  new Map(
    plugins.flatMap(({ metricSources = {} }) =>
      Object.entries(metricSources).map(([name, source]) => [name, fromMetricSource(name, source, context)] as const)
    )
  )

/**
 * A metric source that is written with Effect, for `metricSources` of a plug-in.
 */
export const effectMetricSource = (make: (context: PluginContext) => MetricSourceKind): PluginMetricSource => {
  const sample = make({ directory: ".", stateDirectory: ".signalbox" })
  return {
    check: (metrics) => sample.check(specOf(metrics)),
    describe: (metrics) => described(sample.make(specOf(metrics))),
    load: (context) => {
      const kind = make(context)
      return {
        measure: async ({ metrics, ref, signal, ...options }) => {
          const exit = await Effect.runPromiseExit(kind.make(specOf(metrics)).measure(ref, options), { signal })
          if (Exit.isSuccess(exit)) return exit.value
          throw Cause.squash(exit.cause)
        }
      }
    }
  }
}
