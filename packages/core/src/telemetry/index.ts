/**
 * Telemetry: what traces and metrics are called and identified by, and the port that a runtime's exporter fills.
 */
export * from "./Ids.ts"
export * as Metrics from "./Metrics.ts"
export * from "./Names.ts"
export * from "./sanitize.ts"
export * from "./Telemetry.ts"
export * from "./TraceContext.ts"
