/**
 * OpenTelemetry export, a module of its own: it is loaded only where it is asked for.
 *
 * @since 0.1.0
 */
export { telemetry } from "./layer.ts"
export { telemetryWanted } from "./telemetryWanted.ts"
