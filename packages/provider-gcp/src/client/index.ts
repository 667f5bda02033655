/**
 * How Google Cloud is called: clients, what their failures mean, and one form for what the protocols say differently.
 */
export { Gcp, type GcpOptions, type RunClients } from "./Gcp.ts"
export { gcpReason } from "./gcpReason.ts"
export { enumName, int, millis, plain, shortName } from "./wire.ts"
