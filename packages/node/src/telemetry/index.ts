/**
 * OpenTelemetry export, a module of its own: it is loaded only where it is asked for.
 */
export { telemetry } from "./layer.ts"
export { telemetryWanted } from "./telemetryWanted.ts"
