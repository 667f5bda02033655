/// <reference types="node" preserve="true" />
/**
 * The Signalbox provider for plain processes behind a weighted reverse proxy.
 */
export * as LocalProvider from "./LocalProvider.ts"
export { local, localStack } from "./plugin.ts"
export { Properties as LocalProperties } from "./Properties.ts"
export type { Held, HeldStack } from "./supervisor/Protocol.ts"
export { runSupervisor } from "./supervisor/Supervisor.ts"
