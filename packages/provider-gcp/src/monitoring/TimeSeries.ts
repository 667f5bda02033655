/**
 * Reads time series of Cloud Monitoring, in periods of a minute.
 *
 * *Source*: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/projects.timeSeries/list
 */
import type { ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { fetchJson, type Gcp, gcpReason } from "../client/index.ts"
import type { Distribution } from "./Distribution.ts"

/** A period. `end` is in milliseconds since the epoch. */
export interface Point<A> {
  readonly end: number
  readonly value: A
}

export interface Series<A> {
  readonly labels: Readonly<Record<string, string>>
  /** In no particular order. */
  readonly points: ReadonlyArray<Point<A>>
}

/** What a metric may have as its value. */
export interface Value {
  readonly int64Value?: string
  readonly distributionValue?: Distribution
}

/** A window of the series that match. `groupBy` names a label: each of its values has a sum of its own. */
export interface Query {
  readonly project: string
  readonly filter: Readonly<Record<string, string | ReadonlyArray<string>>>
  readonly groupBy?: string
  readonly from: number
  readonly to: number
}

interface Answer {
  readonly timeSeries?: ReadonlyArray<{
    readonly metric?: { readonly labels?: Readonly<Record<string, string>> }
    readonly points?: ReadonlyArray<{ readonly interval: { readonly endTime: string }; readonly value: Value }>
  }>
  readonly nextPageToken?: string
}

const permission = "monitoring.timeSeries.list"
const timeout = 10_000

const filterOf = (filter: Query["filter"]): string =>
  Object.entries(filter)
    .map(([name, value]) =>
      typeof value === "string"
        ? `${name} = ${JSON.stringify(value)}`
        : `${name} = one_of(${value.map((one) => JSON.stringify(one)).join(",")})`
    )
    .join(" AND ")

/** Without credentials for the metrics, the gates can still do without them. */
const withHint = (reason: ProviderReason): ProviderReason =>
  reason._tag === "Denied" && reason.hint === undefined
    ? {
        ...reason,
        hint: `Grant ${permission}, or set metrics: false of the plug-in.`
      }
    : reason

export class TimeSeries {
  readonly #gcp: Gcp
  readonly #endpoint: string

  constructor(gcp: Gcp, endpoint = "https://monitoring.googleapis.com") {
    this.#gcp = gcp
    this.#endpoint = endpoint
  }

  /** The sums of series that match, by period. Without values in the window, there are none. */
  list({ filter, from, groupBy, project, to }: Query): Effect.Effect<ReadonlyArray<Series<Value>>, ProviderReason> {
    const url = new URL(`/v3/projects/${project}/timeSeries`, this.#endpoint)
    const query = {
      filter: filterOf(filter),
      "interval.startTime": new Date(from).toISOString(),
      "interval.endTime": new Date(to).toISOString(),
      "aggregation.alignmentPeriod": "60s",
      "aggregation.perSeriesAligner": "ALIGN_DELTA",
      "aggregation.crossSeriesReducer": "REDUCE_SUM",
      ...(groupBy === undefined ? {} : { "aggregation.groupByFields": groupBy })
    }
    for (const [key, value] of Object.entries(query)) url.searchParams.set(key, value)
    return Effect.tryPromise({
      try: async (signal) => {
        const found: Array<Series<Value>> = []
        while (true) {
          const answer = (await fetchJson(this.#gcp, url, { signal, timeout })) as Answer
          for (const { metric, points = [] } of answer.timeSeries ?? []) {
            found.push({
              labels: metric?.labels ?? {},
              points: points
                .map(({ interval, value }) => ({ end: Date.parse(interval.endTime), value }))
                // The answer may begin with the period that ends where the window begins.
                .filter(({ end }) => end > from && end <= to)
            })
          }
          if (!answer.nextPageToken) return found
          url.searchParams.set("pageToken", answer.nextPageToken)
        }
      },
      catch: (error) => withHint(gcpReason(error, permission))
    }).pipe(Effect.withSpan("CloudMonitoring.timeSeries.list"))
  }
}
