/**
 * Telemetry: the names and ids of traces and metrics, and the port that a runtime's exporter implements.
 */
export * from "./Ids.ts"
export * as Metrics from "./Metrics.ts"
export * from "./Names.ts"
export * from "./sanitize.ts"
export * from "./Telemetry.ts"
export * from "./TraceContext.ts"
