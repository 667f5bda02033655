/**
 * The requests of a release, from the metrics that Cloud Run writes by revision.
 *
 * *Source*: https://cloud.google.com/monitoring/api/metrics_gcp_p_z#gcp-run
 */
import type { Measurement, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { int } from "../client/index.ts"
import { summary } from "../monitoring/Distribution.ts"
import type { Point, Series, TimeSeries } from "../monitoring/TimeSeries.ts"
import type { Seen } from "./Seen.ts"
import type { Work } from "./Work.ts"

/** A release, and the window, whose ends are ends of minutes. */
export interface Window {
  readonly releaseId: string
  readonly from: number
  readonly to: number
}

const pointsOf = <A>(series: ReadonlyArray<Series<A>>): ReadonlyArray<Point<A>> =>
  series.flatMap(({ points }) => points)

/**
 * Measures a release.
 *
 * *Details*: `until` is the end of the last minute with data of it. A minute without requests and one that is late look the
 * same. So without any request, all that is certain is that there were none before its revision was created: this `until`
 * never advances.
 */
export const measure = (
  { name, place }: Work,
  seen: Seen | null,
  series: TimeSeries,
  { from, releaseId, to }: Window
): Effect.Effect<Measurement, ProviderReason> =>
  Effect.gen(function* () {
    const revisions = [...(seen?.revisions.values() ?? [])].filter(({ release }) => release.id === releaseId)
    const healthy =
      revisions.length === 0 ? null : revisions.some(({ state }) => state === "ready") ? (100 as const) : (0 as const)
    const nothing: Measurement = {
      until: Math.min(to, ...revisions.map(({ createdAt }) => createdAt)),
      requests: 0,
      errors: 0,
      latency: null,
      healthy,
      healthUnit: "release"
    }
    if (revisions.length === 0 || to <= from) return nothing
    const list = (metric: string, groupBy?: string) =>
      series.list({
        project: place.project,
        filter: {
          "metric.type": `run.googleapis.com/${metric}`,
          "resource.type": "cloud_run_revision",
          "resource.labels.location": place.region,
          "resource.labels.service_name": name,
          "resource.labels.revision_name": revisions.map((revision) => revision.name)
        },
        ...(groupBy === undefined ? {} : { groupBy }),
        from,
        to
      })
    const { counts, latencies } = yield* Effect.all(
      { counts: list("request_count", "metric.labels.response_code_class"), latencies: list("request_latencies") },
      { concurrency: 2 }
    )
    const reach = (points: ReadonlyArray<Point<unknown>>) => Math.max(from, ...points.map(({ end }) => end))
    const until = Math.min(reach(pointsOf(counts)), reach(pointsOf(latencies)))
    const sum = (some: typeof counts) =>
      pointsOf(some).reduce((total, { end, value }) => (end <= until ? total + int(value.int64Value) : total), 0)
    const requests = sum(counts)
    if (requests === 0) return nothing
    const values = pointsOf(latencies).filter(({ end }) => end <= until)
    return {
      ...nothing,
      until,
      requests,
      errors: sum(counts.filter(({ labels }) => labels["response_code_class"] === "5xx")),
      latency: summary(values.map(({ value }) => value.distributionValue ?? {}))
    }
  })
