/** An estimate as JSON shows it. */
import { Estimate } from "@signalbox/core/analysis"

/** Null if nothing is in progress. */
export const estimateView = (estimate: Estimate.Estimate | undefined): EstimateView =>
  estimate === undefined ? null : Estimate.view(estimate)
export type EstimateView = Estimate.EstimateView | null
