/// <reference types="node" preserve="true" />
/**
 * A simulator of Google Cloud for tests: `@signalbox/provider-gcp/testing`.
 */
export { ApiError, type ApiCode, errorInfo, type ErrorDetail, retryInfo } from "./ApiError.ts"
export type { App } from "./Apps.ts"
export type { CallFault, RecordedCall } from "./ReceivedCalls.ts"
export { type GcpSimulator, type GcpSimulatorOptions, startGcpSimulator } from "./GcpSimulator.ts"
export type { ExecutionJson } from "./Execution.ts"
export type { JobJson } from "./Jobs.ts"
export type {
  ChannelJson,
  Finalizing,
  ReleaseJson,
  ServingConfigJson,
  SimulatedHosting,
  VersionJson
} from "./hosting/index.ts"
export type { SimulatedMonitoring } from "./Monitoring.ts"
export type { ServiceJson } from "./RunState.ts"
