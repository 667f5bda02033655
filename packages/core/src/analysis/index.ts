/**
 * Arithmetic of verdicts, without services or I/O.
 *
 * @since 0.1.0
 */
export * as Gate from "./Gate.ts"
