/**
 * OpenTelemetry export; a separate module, so that it is loaded only on demand.
 */
export { telemetry } from "./layer.ts"
export { telemetryWanted } from "./telemetryWanted.ts"
