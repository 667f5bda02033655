/** An estimate as JSON shows it. The names are API. */
import type { Estimate } from "@signalbox/core/analysis"

/**
 * What is left, in milliseconds: `lowMs` to `highMs` holds with the probability `coverage` where `basis` is `history`. All three
 * are null where it is `none` or `exceeded`; the whole is null where nothing is under way.
 */
export const estimateView = (estimate: Estimate.Estimate | undefined) =>
  estimate === undefined
    ? null
    : {
        remainingMs: estimate.point,
        lowMs: estimate.low,
        highMs: estimate.high,
        coverage: estimate.coverage,
        n: estimate.n,
        basis: estimate.basis,
        scope: estimate.scope
      }
export type EstimateView = ReturnType<typeof estimateView>
