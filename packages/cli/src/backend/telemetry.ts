/** The exporter of telemetry, loaded only where the environment asks for one. */
export { telemetry } from "@signalbox/node/telemetry"
