/// <reference types="node" preserve="true" />
/**
 * The Node runtime of Signalbox.
 */
export * from "./config/index.ts"
export * as LeasedCommand from "./command/LeasedCommand.ts"
export * as WrappedCommand from "./command/WrappedCommand.ts"
export * as Sqlite from "./Sqlite.ts"
export { embeddedStore, postgresStore, storeFile } from "./Stores.ts"
export { isBuiltInStore, openStore } from "./openStore.ts"
export { builtInMetricSources, metricSources } from "./metrics/metricSources.ts"
export * as Monitoring from "./monitor/index.ts"
export * as ProcessLiveness from "./ProcessLiveness.ts"
export { makeStateFolder } from "./makeStateFolder.ts"
export { metadataFile, metadataIn } from "./metadata.ts"
export * from "./StateFiles.ts"
export { telemetryWanted } from "./telemetry/telemetryWanted.ts"
export { metadataYaml, stateYaml } from "./stateYaml.ts"
export * from "./sdk/connect.ts"
export type * from "./sdk/CallOptions.ts"
export type * from "./sdk/CommandRun.ts"
export type * from "./sdk/Connection.ts"
export type * from "./sdk/Coordination.ts"
export type {
  AdmissionProgress,
  BlockerView,
  CanDeployView,
  CleanupView,
  DeploymentView,
  EnvironmentView,
  ExecutionView,
  LeaseView,
  LockView,
  RegisteredView,
  RemainingTime,
  ReplayView,
  VetoView,
  WaitingView
} from "@signalbox/core/api"
export { ackLinks } from "./notify/ackLinks.ts"
export { eventToJson } from "./sdk/eventToJson.ts"
export * from "./sdk/SignalboxError.ts"
export * as SignalboxNode from "./sdk/SignalboxNode.ts"
