/**
 * A metric source without Effect. See `MetricSource` for what it has to do.
 */
import type { MetricsSpec } from "../domain/Spec.ts"
import type { Measurement } from "../spi/MetricSource.ts"
import type { StackCall } from "./PlainProvider.ts"

/** The key `metrics` of a stack, with its spans of time in milliseconds. */
export interface PlainMetrics extends Omit<MetricsSpec, "resolution" | "lag"> {
  readonly resolutionMs: number
  readonly lagMs: number
}

/**
 * Measures releases over a window of time, `from` and `to` in milliseconds since the epoch.
 *
 * *Errors*: it fails by rejecting with an error that has a `reason`, as `ProviderFailure` does.
 */
export interface PlainMetricSource {
  readonly measure: (
    call: StackCall & {
      readonly metrics: PlainMetrics
      readonly releaseId: string
      readonly version?: string
      readonly from: number
      readonly to: number
    }
  ) => Promise<Measurement>
}
