/**
 * The requests of a release, from the metrics of its target group.
 */
import type { Measurement, ProviderReason } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { minute, type Query, type Requests, type Series, sumOf } from "./Requests.ts"

/** A minute that is missing for so long is taken for one without requests. */
const givenUp = 5 * minute

/**
 * Up to when a window is complete: the end of its last minute with data of the load balancer, before the first minute that
 * may still be late.
 */
export const completeUntil = (
  all: Series,
  { from, to }: { readonly from: number; readonly to: number },
  now: number
): number => {
  let until = from
  for (let start = from; start < to; start += minute) {
    if (all.has(start)) until = start + minute
    else if (now - (start + minute) < givenUp) break
  }
  return until
}

/** The average of a statistic by minute, weighted by requests; in milliseconds. */
const weighted = (values: Series, requests: Series, until: number): number | undefined => {
  let sum = 0
  let count = 0
  for (const [start, value] of values) {
    const weight = requests.get(start) ?? 0
    if (start >= until) continue
    sum += 1000 * value * weight
    count += weight
  }
  return count === 0 ? undefined : sum / count
}

/**
 * Measures what a target group has answered.
 *
 * *Details*: `blamed` says whether answers of the load balancer itself (502, 503, 504) count as errors of the group: they
 * are not written by target group, and the one whose weight moved is to blame. Percentiles are averages of the minutes,
 * weighted by their requests.
 */
export const measure = (
  requests: Requests,
  { blamed, targetGroup }: { readonly targetGroup: string; readonly blamed: boolean },
  window: { readonly from: number; readonly to: number }
): Effect.Effect<Omit<Measurement, "healthy" | "healthUnit">, ProviderReason> =>
  Effect.gen(function* () {
    const own = (metric: string, statistic: string): Query => ({ metric, statistic, targetGroup })
    const all = (metric: string): Query => ({ metric, statistic: "Sum" })
    const [every, count, failed, bad, unavailable, late, mean, p50, p95, p99] = yield* requests.read(
      [
        all("RequestCount"),
        own("RequestCount", "Sum"),
        own("HTTPCode_Target_5XX_Count", "Sum"),
        all("HTTPCode_ELB_502_Count"),
        all("HTTPCode_ELB_503_Count"),
        all("HTTPCode_ELB_504_Count"),
        own("TargetResponseTime", "Average"),
        own("TargetResponseTime", "p50"),
        own("TargetResponseTime", "p95"),
        own("TargetResponseTime", "p99")
      ],
      window
    )
    const until = completeUntil(every!, window, yield* Clock.currentTimeMillis)
    const total = Math.round(sumOf(count!, until))
    const lost = blamed ? [bad!, unavailable!, late!].reduce((sum, one) => sum + sumOf(one, until), 0) : 0
    const at = (series: Series) => weighted(series, count!, until)
    const average = at(mean!)
    const worst = at(p95!)
    return {
      until,
      // A request that the load balancer answered itself reached no target.
      requests: total + Math.round(lost),
      errors: Math.round(sumOf(failed!, until) + lost),
      latency:
        average === undefined || worst === undefined
          ? null
          : {
              mean: average,
              p95: worst,
              ...(at(p50!) === undefined ? {} : { p50: at(p50!)! }),
              ...(at(p99!) === undefined ? {} : { p99: at(p99!)! })
            }
    }
  })
