/**
 * The requests of a load balancer and its target groups, from the metrics that it writes each minute.
 *
 * *Source*: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html
 */
import type { CloudWatch, MetricDataQuery } from "@aws-sdk/client-cloudwatch"
import type { ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { type Aws, type AwsPlace, Caller } from "../client/index.ts"
import type { CloudWatchCall } from "../iam/calls.ts"

export const minute = 60_000

/** How long after its end a minute may still be missing or incomplete. */
export const lag = 2 * minute

/** What is asked for: a metric of a load balancer, or of one of its target groups. */
export interface Query {
  readonly metric: string
  readonly statistic: string
  readonly targetGroup?: string
}

/** The values by the start of their minutes, in milliseconds since 1970. */
export type Series = ReadonlyMap<number, number>

export class Requests {
  readonly #cloudWatch: Caller<CloudWatch, CloudWatchCall>
  readonly #loadBalancer: string

  /** `loadBalancer` as CloudWatch names it: `app/<name>/<id>`. */
  constructor(aws: Aws, place: AwsPlace, loadBalancer: string) {
    this.#cloudWatch = new Caller("cloudwatch", () => aws.cloudWatch(place))
    this.#loadBalancer = loadBalancer
  }

  /**
   * Reads some metrics by the minute.
   *
   * *Errors*: `Unavailable` if CloudWatch could not answer for all of them: half an answer would look like no errors.
   */
  read(
    queries: ReadonlyArray<Query>,
    { from, to }: { readonly from: number; readonly to: number }
  ): Effect.Effect<ReadonlyArray<Series>, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const found = queries.map(() => new Map<number, number>())
      if (to <= from) return found
      const MetricDataQueries = queries.map((query, index) => this.#query(query, index))
      for (let NextToken: string | undefined; ;) {
        const page = yield* this.#cloudWatch.read("GetMetricData", (client, options) =>
          client.getMetricData(
            {
              MetricDataQueries,
              StartTime: new Date(from),
              EndTime: new Date(to),
              ScanBy: "TimestampAscending",
              ...(NextToken === undefined ? {} : { NextToken })
            },
            options
          )
        )
        for (const { Id = "", StatusCode, Timestamps = [], Values = [] } of page.MetricDataResults ?? []) {
          if (StatusCode === "InternalError" || StatusCode === "Forbidden") {
            const message = `CloudWatch could not read ${queries[Number(Id.slice(1))]?.metric}: ${StatusCode}`
            return yield* Effect.fail<ProviderReason>({ _tag: "Unavailable", message })
          }
          for (const [index, time] of Timestamps.entries()) {
            const start = time.getTime()
            // Emulators do not all know that the end is exclusive.
            if (start >= from && start < to) found[Number(Id.slice(1))]!.set(start, Values[index]!)
          }
        }
        NextToken = page.NextToken
        if (NextToken === undefined || NextToken === "") return found
      }
    })
  }

  #query({ metric, statistic, targetGroup }: Query, index: number): MetricDataQuery {
    return {
      Id: `q${index}`,
      MetricStat: {
        Metric: {
          Namespace: "AWS/ApplicationELB",
          MetricName: metric,
          Dimensions: [
            { Name: "LoadBalancer", Value: this.#loadBalancer },
            ...(targetGroup === undefined ? [] : [{ Name: "TargetGroup", Value: targetGroup }])
          ]
        },
        Period: 60,
        Stat: statistic
      }
    }
  }
}

export const sumOf = (series: Series, until = Infinity): number => {
  let sum = 0
  for (const [start, value] of series) if (start < until) sum += value
  return sum
}
