/** An estimate as JSON shows it. */
import { Estimate } from "@signalbox/core/analysis"

/** Null where nothing is under way. */
export const estimateView = (estimate: Estimate.Estimate | undefined): EstimateView =>
  estimate === undefined ? null : Estimate.view(estimate)
export type EstimateView = Estimate.EstimateView | null
