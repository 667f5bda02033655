import { MetricSources } from "@signalbox/core/spi"
import * as Layer from "effect/Layer"
import * as PrometheusSource from "./PrometheusSource.ts"

/** The built-in metric sources that stacks can name. */
export const metricSources: Layer.Layer<never> = Layer.succeed(
  MetricSources,
  new Map([["prometheus", PrometheusSource.kind(process.env)]])
)
