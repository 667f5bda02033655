/**
 * The engine: executions as durable workflows whose journal is the event log.
 *
 * @since 0.1.0
 */
export * from "./Refused.ts"
export * from "./Signalbox.ts"
