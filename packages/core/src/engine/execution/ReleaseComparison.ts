/**
 * Measures the candidate and the stable release over the same period, while both have traffic.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as MetricWindow from "../../analysis/MetricWindow.ts"
import * as Comparison from "../../analysis/Comparison.ts"
import * as ErrorRatio from "../../analysis/ErrorRatio.ts"
import { causeInfo } from "../../domain/errors/index.ts"
import type { Release } from "../../domain/Release.ts"
import type { CompareSpec } from "../../domain/Spec.ts"
import type { ComparedCounts, Verdict } from "../../domain/Verdict.ts"
import type { Measurement, MetricSource } from "../../spi/MetricSource.ts"
import type { StackRef } from "../../spi/Provider.ts"
import { grainOf } from "../../internal/grainOf.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"

/**
 * One look at both releases: what to add to the candidate's judgement, and the counts behind it.
 */
export interface ComparisonLook {
  readonly items: ReadonlyArray<Comparison.Compared>
  readonly counts?: ComparedCounts
}

/**
 * The phase of a step: baking, bake over, or its last look.
 */
export type BakePhase = "baking" | "over" | "last"

/** Compares the data up to `to`. */
export type CompareReleases = (to: number, phase: BakePhase) => Effect.Effect<ComparisonLook>

/**
 * Providers keep single requests only for a while (the local one for a quarter of an hour). A longer window restarts at
 * the previous look, so that no request is counted twice.
 */
const longest = Duration.toMillis("10 minutes")

const named = ({ id, version }: Release) => ({ releaseId: id, version })

const nothing: ErrorRatio.Count = { requests: 0, errors: 0 }

const grown = (now: ErrorRatio.Count, before: ErrorRatio.Count): ErrorRatio.Count => {
  const requests = Math.max(0, now.requests - before.requests)
  return { requests, errors: Math.min(requests, Math.max(0, now.errors - before.errors)) }
}

/**
 * Compares at each look of one step.
 *
 * *Details*: the error test adds the counts since the previous look. Each window begins with the step (`startedAt`) and
 * not a fixed time ago, because a sliding window would count some requests again and forget others; the counts of the
 * previous look are subtracted. With a source that keeps periods, the windows begin and end with whole periods, and
 * both releases are measured up to the same one. A runner that takes over gets everything it missed as one look.
 * Evidence of earlier steps (`before`) carries over, so that all steps of a rollout share one `alpha`. Response times
 * are judged once, when the bake is over, and once more at the last look if that was ambiguous.
 */
export const make = (options: {
  readonly spec: CompareSpec
  readonly metrics: MetricSource
  readonly ref: StackRef
  readonly candidate: Release
  readonly stable: Release
  readonly startedAt: number
  readonly before: ReadonlyArray<ErrorRatio.Pair>
}): CompareReleases => {
  const { metrics, ref, spec, startedAt } = options
  let ratio = options.before.reduce(ErrorRatio.add, ErrorRatio.start(spec.maxErrorRatio))
  let step: ErrorRatio.Pair = { candidate: nothing, stable: nothing }
  const grain = grainOf(metrics)
  const begins = MetricWindow.isCoarse(grain) ? MetricWindow.alignUp(startedAt, grain) : startedAt
  let anchor = begins
  let seen: ErrorRatio.Pair = step
  let latencies: Comparison.Compared | undefined
  /** The measurements of this look. */
  let compared: Comparison.Latencies | undefined

  const measured = (from: number, to: number) =>
    Effect.all(
      {
        candidate: metrics.measure(ref, { ...named(options.candidate), from, to }),
        stable: metrics.measure(ref, { ...named(options.stable), from, to })
      },
      { concurrency: 2 }
    )
  const measure = (from: number, to: number) =>
    Effect.flatMap(measured(from, to), (both) => {
      const until = Math.min(both.candidate.until, both.stable.until)
      // Only counts of the same period can be compared.
      return both.candidate.until === both.stable.until || until <= from ? Effect.succeed(both) : measured(from, until)
    })

  const countErrors = (to: number): Effect.Effect<void, ProviderError> => {
    if (to <= anchor) return Effect.void
    return Effect.map(measure(anchor, to), ({ candidate, stable }) => {
      if (Math.min(candidate.until, stable.until) <= anchor) return
      const added = { candidate: grown(candidate, seen.candidate), stable: grown(stable, seen.stable) }
      ratio = ErrorRatio.add(ratio, added)
      step = ErrorRatio.both(step, added)
      const rotated = candidate.until - anchor >= longest
      seen = rotated ? { candidate: nothing, stable: nothing } : { candidate, stable }
      if (rotated) anchor = candidate.until
    })
  }

  const judgeLatencies = (
    to: number,
    phase: BakePhase
  ): Effect.Effect<Comparison.Compared | undefined, ProviderError> => {
    const settled = latencies !== undefined && latencies.missing !== "data"
    const again = phase === "last" && latencies?.evidence.verdict === "inconclusive"
    if (phase === "baking" || (settled && !again)) return Effect.succeed(latencies)
    if (metrics.samples === false) {
      latencies = Comparison.judgeLatencies(spec, { candidate: null, stable: null })
      return Effect.succeed(latencies)
    }
    return Effect.map(measure(Math.max(begins, to - longest), to), ({ candidate, stable }) => {
      compared = { candidate: samplesOf(candidate), stable: samplesOf(stable) }
      latencies = Comparison.judgeLatencies(spec, compared)
      return latencies
    })
  }

  return (to, phase) => {
    let counts: ComparedCounts | undefined
    return Effect.gen(function* () {
      yield* countErrors(to)
      counts = { since: startedAt, ...step }
      compared = undefined
      const timed = yield* judgeLatencies(to, phase)
      return {
        items: [Comparison.judgeErrors(spec, ratio), ...(timed === undefined ? [] : [timed])],
        counts: compared === undefined ? counts : { ...counts, latencies: compared }
      }
    }).pipe(
      Effect.catch((error) =>
        Effect.succeed({
          items: [Comparison.without("error", causeInfo("not_comparable", {}, error.message))],
          ...(counts === undefined ? {} : { counts })
        })
      )
    )
  }
}

/**
 * Whole microseconds keep the record short. A provider without samples of the requests that it counted has none.
 */
const samplesOf = ({ requests, samples }: Measurement): ReadonlyArray<number> | null =>
  samples?.map((millis) => Math.round(millis * 1_000) / 1_000) ?? (requests === 0 ? [] : null)

/**
 * The comparisons of earlier steps of the same rollout, from their last verdicts.
 */
export const earlier = (
  verdicts: ReadonlyArray<Verdict>,
  of: { readonly stack: string; readonly releaseId: string; readonly startedAt: number }
): ReadonlyArray<ErrorRatio.Pair> =>
  verdicts.flatMap(({ compared, releaseId, stack }) =>
    compared !== undefined && compared.since < of.startedAt && stack === of.stack && releaseId === of.releaseId
      ? [{ candidate: compared.candidate, stable: compared.stable }]
      : []
  )
