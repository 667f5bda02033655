import { type MetricSourceKind, MetricSources } from "@signalbox/core/spi"
import * as Layer from "effect/Layer"
import * as PrometheusSource from "./PrometheusSource.ts"

const builtIn: ReadonlyMap<string, MetricSourceKind> = new Map([["prometheus", PrometheusSource.kind(process.env)]])

/** The names of the built-in metric sources, with their owner. */
export const builtInMetricSources: ReadonlyMap<string, string> = new Map(
  [...builtIn.keys()].map((name) => [name, "@signalbox/node"])
)

/** The metric sources that stacks can name: the built-in ones, and others. */
export const metricSources = (others: ReadonlyMap<string, MetricSourceKind> = new Map()): Layer.Layer<never> =>
  Layer.succeed(MetricSources, new Map([...others, ...builtIn]))
