/**
 * The operations on metrics.
 */
import {
  type GetMetricDataCommandInput,
  type GetMetricDataCommandOutput,
  GetMetricData$,
  type MetricDataQuery,
  type MetricStat,
  type PutMetricDataCommandInput,
  type PutMetricDataCommandOutput,
  PutMetricData$
} from "@aws-sdk/client-cloudwatch"
import { invalid } from "../wire/AwsError.ts"
import { operation, type Service } from "../wire/Endpoint.ts"
import { type Dimensions, type MetricStore, minute } from "./MetricStore.ts"

export const dimensionsOf = (
  dimensions: ReadonlyArray<{ readonly Name?: string | undefined; readonly Value?: string | undefined }> = []
): Dimensions => Object.fromEntries(dimensions.map(({ Name = "", Value = "" }) => [Name, Value]))

/** One value of many. */
export const statistic = (stat: string, values: ReadonlyArray<number>): number => {
  const sum = values.reduce((all, one) => all + one, 0)
  switch (stat) {
    case "Sum":
      return sum
    case "Average":
      return sum / values.length
    case "SampleCount":
      return values.length
    // As arguments, a busy minute would be too many.
    case "Minimum":
      return values.reduce((least, one) => Math.min(least, one), Infinity)
    case "Maximum":
      return values.reduce((most, one) => Math.max(most, one), -Infinity)
  }
  const percentile = Number(/^p(\d{1,2}(?:\.\d+)?|100)$/.exec(stat)?.[1] ?? Number.NaN)
  if (Number.isNaN(percentile)) throw invalid(`The simulator has no statistic '${stat}'`)
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil((sorted.length * percentile) / 100) - 1)]!
}

/** The values of a metric by period, oldest first. */
export const valuesOf = (
  store: MetricStore,
  { Metric, Period, Stat }: MetricStat,
  from: number,
  to: number
): ReadonlyArray<{ readonly at: number; readonly value: number }> => {
  const period = Period! * 1000
  if (period < minute || period % minute !== 0) throw invalid("The parameter Period must be a multiple of 60")
  const start = Math.floor(from / period) * period
  const periods = new Map<number, Array<number>>()
  for (const one of store.read(Metric!.Namespace!, Metric!.MetricName!, dimensionsOf(Metric!.Dimensions), start, to)) {
    const at = start + Math.floor((one.start - start) / period) * period
    const values = periods.get(at) ?? []
    for (const value of one.values) values.push(value)
    periods.set(at, values)
  }
  return [...periods].map(([at, values]) => ({ at, value: statistic(Stat!, values) }))
}

const statOf = ({ Expression, MetricStat }: MetricDataQuery): MetricStat => {
  if (MetricStat === undefined) throw invalid(`The simulator has no metric math: '${Expression}'`)
  return MetricStat
}

export const metricOperations = (store: MetricStore): Service["operations"] => ({
  GetMetricData: operation<GetMetricDataCommandInput, GetMetricDataCommandOutput>(
    GetMetricData$,
    ({ EndTime, MetricDataQueries = [], ScanBy = "TimestampDescending", StartTime }) => {
      if (MetricDataQueries.length > 500) throw invalid("At most 500 queries are allowed")
      const [from, to] = [StartTime!.getTime(), EndTime!.getTime()]
      if (from >= to) throw invalid("The parameter StartTime must be less than the parameter EndTime.")
      const isPartial = store.partial > 0
      if (isPartial) store.partial -= 1
      return {
        MetricDataResults: MetricDataQueries.filter(({ ReturnData = true }) => ReturnData).map((query) => {
          const stat = statOf(query)
          // What is missing then are the newest values.
          const values = valuesOf(store, stat, from, to).slice(0, isPartial ? -1 : undefined)
          const ordered = ScanBy === "TimestampDescending" ? values.toReversed() : values
          return {
            Id: query.Id,
            Label: query.Label ?? stat.Metric!.MetricName,
            Timestamps: ordered.map(({ at }) => new Date(at)),
            Values: ordered.map(({ value }) => value),
            StatusCode: isPartial ? ("PartialData" as const) : ("Complete" as const)
          }
        }),
        Messages: []
      }
    }
  ),
  PutMetricData: operation<PutMetricDataCommandInput, PutMetricDataCommandOutput>(
    PutMetricData$,
    ({ MetricData = [], Namespace }) => {
      if (Namespace!.startsWith("AWS/")) throw invalid("The value AWS/ for parameter Namespace is invalid.")
      for (const { Dimensions, MetricName, Timestamp, Value, Values = [] } of MetricData) {
        for (const value of Value === undefined ? Values : [Value]) {
          store.add(Namespace!, MetricName!, dimensionsOf(Dimensions), value, Timestamp?.getTime())
        }
      }
      return {}
    }
  )
})
