/**
 * Firebase Hosting, simulated.
 */
export { Hosting, hostingService } from "./Hosting.ts"
export { serveHosting } from "./HostingApi.ts"
export type { ChannelJson, ReleaseJson, ServingConfigJson, VersionJson } from "./HostingState.ts"
export type { Finalizing } from "./Site.ts"
export { type SimulatedHosting, simulatedHosting } from "./SimulatedHosting.ts"
