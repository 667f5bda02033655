/**
 * Cloud Monitoring as far as it has the requests of Cloud Run: by minute, and late.
 */
import { ApiError } from "./ApiError.ts"
import type { JsonMessage } from "./Protos.ts"
import { lastOf } from "./RunState.ts"

export const monitoringService = "google.monitoring.v3.MetricService"

/**
 * The metrics of a simulator.
 *
 * *Details*: `later` turns their clock forward by so many seconds, and `now` is what it says. `late` is how many seconds
 * after its end a minute appears, by default 180. `lose` takes away what was counted in the minute of that time.
 */
export interface SimulatedMonitoring {
  readonly now: () => number
  readonly later: (seconds: number) => void
  readonly late: (seconds: number) => void
  readonly lose: (at: number) => void
}

const minute = 60_000

/** The requests of a revision in a minute, with answers of one class. */
interface Counted {
  readonly labels: Readonly<Record<string, string>>
  readonly end: number
  readonly latencies: Array<number>
}

const buckets = { numFiniteBuckets: 66, growthFactor: 1.4, scale: 1 }

const distribution = (values: ReadonlyArray<number>): JsonMessage => {
  const bucketCounts = Array.from({ length: buckets.numFiniteBuckets + 2 }, () => 0)
  for (const value of values) {
    const bucket = value < 1 ? 0 : Math.floor(Math.log(value) / Math.log(buckets.growthFactor)) + 1
    bucketCounts[Math.min(bucket, bucketCounts.length - 1)]! += 1
  }
  return {
    count: String(values.length),
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    bucketOptions: { exponentialBuckets: buckets },
    bucketCounts: bucketCounts.map(String)
  }
}

const metrics: Readonly<Record<string, (latencies: ReadonlyArray<number>) => JsonMessage>> = {
  "run.googleapis.com/request_count": (latencies) => ({ int64Value: String(latencies.length) }),
  "run.googleapis.com/request_latencies": (latencies) => ({ distributionValue: distribution(latencies) })
}

const invalid = (message: string) => new ApiError("INVALID_ARGUMENT", message)

const clause = /^(metric\.type|(?:resource|metric)\.(?:type|labels\.\w+)) = (?:"([^"]*)"|one_of\(([^)]*)\))$/

/** What a filter lets through, by label. */
const parsed = (filter: string): ReadonlyMap<string, ReadonlyArray<string>> =>
  new Map(
    filter.split(" AND ").map((text) => {
      const match = clause.exec(text)
      if (match === null) throw invalid(`The simulator does not understand the filter '${text}'.`)
      const [, name, value, values = ""] = match
      return [name!, value === undefined ? values.split(",").map((one) => one.slice(1, -1)) : [value]]
    })
  )

export class Monitoring implements SimulatedMonitoring {
  readonly #counted = new Map<string, Counted>()
  #ahead = 0
  #late = 180_000

  readonly now = (): number => Date.now() + this.#ahead
  readonly later = (seconds: number): void => void (this.#ahead += Math.round(seconds * 1_000))
  readonly late = (seconds: number): void => void (this.#late = seconds * 1_000)
  readonly lose = (at: number): void => {
    for (const [key, { end }] of this.#counted) if (at < end && at >= end - minute) this.#counted.delete(key)
  }

  /** Counts a request that a revision of a service has answered. */
  count(service: string, revision: string, { millis, status }: { readonly millis: number; readonly status: number }) {
    const [, project = "", , location = "", , name = ""] = service.split("/")
    const end = Math.floor(this.now() / minute + 1) * minute
    const code = `${Math.floor(status / 100)}xx`
    const key = [service, revision, code, end].join(" ")
    const known = this.#counted.get(key)
    if (known !== undefined) return void known.latencies.push(millis)
    const labels = {
      project,
      "resource.type": "cloud_run_revision",
      "resource.labels.location": location,
      "resource.labels.service_name": name,
      "resource.labels.revision_name": revision,
      "metric.labels.response_code_class": code
    }
    this.#counted.set(key, { labels, end, latencies: [millis] })
  }

  readonly handlers = { ListTimeSeries: (request: JsonMessage): JsonMessage => this.#list(request) }

  #list({ aggregation, filter, interval, name }: JsonMessage): JsonMessage {
    const wanted = new Map(parsed(String(filter)))
    const type = wanted.get("metric.type")?.[0] ?? ""
    wanted.delete("metric.type")
    const valueOf = metrics[type]
    if (valueOf === undefined) throw invalid(`The simulator has no metric '${type}'.`)
    const { alignmentPeriod, crossSeriesReducer, groupByFields, perSeriesAligner } = aggregation as JsonMessage
    if (alignmentPeriod !== "60s" || perSeriesAligner !== "ALIGN_DELTA" || crossSeriesReducer !== "REDUCE_SUM") {
      throw new ApiError("UNIMPLEMENTED", "The simulator only adds up minutes.")
    }
    const { endTime, startTime } = interval as { readonly startTime: string; readonly endTime: string }
    const [from, to] = [Date.parse(startTime), Date.parse(endTime)]
    if (to % minute !== 0) throw new ApiError("UNIMPLEMENTED", "In the simulator, periods end with minutes.")
    const groups = (groupByFields ?? []) as ReadonlyArray<string>
    const series = new Map<string, Map<number, Array<number>>>()
    for (const { end, labels, latencies } of this.#counted.values()) {
      // As in the real service, the period that ends where the window begins belongs to the answer.
      if (end < from || end > to || end + this.#late > this.now() || labels["project"] !== lastOf(String(name)))
        continue
      if (![...wanted].every(([label, values]) => values.includes(labels[label] ?? ""))) continue
      const key = JSON.stringify(groups.map((group) => [group, labels[group] ?? ""]))
      const points = series.get(key) ?? new Map<number, Array<number>>()
      series.set(key, points)
      points.set(end, [...(points.get(end) ?? []), ...latencies])
    }
    return {
      timeSeries: [...series].map(([key, points]) => ({
        metric: {
          type,
          labels: Object.fromEntries(
            (JSON.parse(key) as Array<[string, string]>).flatMap(([group, value]) =>
              group.startsWith("metric.labels.") ? [[group.slice("metric.labels.".length), value]] : []
            )
          )
        },
        metricKind: "DELTA",
        // Newest first, as the real service has it.
        points: [...points]
          .sort(([a], [b]) => b - a)
          .map(([end, latencies]) => ({
            interval: { startTime: new Date(end - minute).toISOString(), endTime: new Date(end).toISOString() },
            value: valueOf(latencies)
          }))
      }))
    }
  }
}
