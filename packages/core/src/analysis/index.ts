/**
 * Arithmetic of verdicts, without services or I/O.
 */
export * as Comparison from "./Comparison.ts"
export * as ErrorRatio from "./ErrorRatio.ts"
export * as Estimate from "./Estimate.ts"
export * as EstimateCalibration from "./EstimateCalibration.ts"
export * as EstimateExecution from "./EstimateExecution.ts"
export * as EstimatePath from "./EstimatePath.ts"
export * as EstimateRun from "./EstimateRun.ts"
export * as EstimateSample from "./EstimateSample.ts"
export * as EstimateTail from "./EstimateTail.ts"
export * as Gate from "./Gate.ts"
export * as MannWhitney from "./MannWhitney.ts"
export * as MetricWindow from "./MetricWindow.ts"
export * as Normal from "./Normal.ts"
export * as Replay from "./Replay.ts"
