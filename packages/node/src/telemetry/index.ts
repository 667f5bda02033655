/**
 * OpenTelemetry export; a separate module, so that it is loaded only on demand.
 */
export { hostTelemetry } from "./hostTelemetry.ts"
export { telemetry } from "./layer.ts"
export { OpenTelemetryMissing } from "./OpenTelemetryMissing.ts"
export { telemetryWanted } from "./telemetryWanted.ts"
