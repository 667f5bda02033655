/**
 * How Google Cloud is called: clients, what their failures mean, and one form for what the protocols say differently.
 */
export { Caller, type Failure } from "./Caller.ts"
export { type ApiAnswer, failureOf, fetchJson, late } from "./fetchJson.ts"
export { Gcp, type GcpOptions } from "./Gcp.ts"
export { gcpReason, grantActAs } from "./gcpReason.ts"
export { type Place, placeOf, targetOf } from "./place.ts"
export { enumName, int, millis, plain, shortName } from "./wire.ts"
