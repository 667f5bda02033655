/**
 * Arithmetic of verdicts, without services or I/O.
 *
 * @since 0.1.0
 */
export * as Comparison from "./Comparison.ts"
export * as ErrorRatio from "./ErrorRatio.ts"
export * as Gate from "./Gate.ts"
export * as MannWhitney from "./MannWhitney.ts"
export * as Normal from "./Normal.ts"
export * as Replay from "./Replay.ts"
