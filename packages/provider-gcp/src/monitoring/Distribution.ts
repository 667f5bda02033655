/**
 * Distributions of Cloud Monitoring: how many values were in which bucket.
 *
 * *Source*: https://cloud.google.com/monitoring/api/ref_v3/rest/v3/TypedValue#Distribution
 */
import { int } from "../client/index.ts"

/** What is read of a distribution. 64-bit numbers are text. */
export interface Distribution {
  readonly count?: string
  readonly mean?: number
  readonly bucketCounts?: ReadonlyArray<string>
  readonly bucketOptions?: {
    readonly exponentialBuckets?: {
      readonly numFiniteBuckets: number
      readonly growthFactor: number
      readonly scale: number
    }
    readonly linearBuckets?: { readonly numFiniteBuckets: number; readonly width: number; readonly offset: number }
    readonly explicitBuckets?: { readonly bounds: ReadonlyArray<number> }
  }
}

/** The bounds between the buckets. The first bucket is below them all, the last one above. */
const boundsOf = ({
  explicitBuckets,
  exponentialBuckets,
  linearBuckets
}: NonNullable<Distribution["bucketOptions"]>) => {
  if (explicitBuckets !== undefined) return explicitBuckets.bounds
  const { numFiniteBuckets } = exponentialBuckets ?? linearBuckets ?? { numFiniteBuckets: 0 }
  return Array.from({ length: numFiniteBuckets + 1 }, (_, n) =>
    exponentialBuckets === undefined
      ? linearBuckets!.offset + linearBuckets!.width * n
      : exponentialBuckets.scale * exponentialBuckets.growthFactor ** n
  )
}

/** The mean and quantiles of all values, with a quantile interpolated in its bucket; null if there are no values. */
export const summary = (distributions: ReadonlyArray<Distribution>) => {
  let total = 0
  let sum = 0
  const counts: Array<number> = []
  let bounds: ReadonlyArray<number> = []
  for (const { bucketCounts = [], bucketOptions, count, mean = 0 } of distributions) {
    total += int(count)
    sum += int(count) * mean
    for (const [bucket, inside] of bucketCounts.entries()) counts[bucket] = (counts[bucket] ?? 0) + int(inside)
    // All points of a metric have the same buckets.
    if (bucketOptions !== undefined) bounds = boundsOf(bucketOptions)
  }
  if (total === 0) return null
  const quantile = (share: number): number => {
    const rank = share * total
    let below = 0
    for (const [bucket, inside] of counts.entries()) {
      if (inside > 0 && below + inside >= rank) {
        const lower = Math.max(0, bounds[bucket - 1] ?? 0)
        const upper = bounds[bucket] ?? lower
        return lower + ((upper - lower) * (rank - below)) / inside
      }
      below += inside
    }
    return bounds.at(-1) ?? 0
  }
  return { mean: sum / total, p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) }
}
