/**
 * Plug-ins: what a package has to export to bring providers, metric sources, notifiers, stores and subcommands, and the adapters
 * in both directions.
 */
export type { Abort } from "./Abort.ts"
export * from "./checkPlugin.ts"
export { effectProvider, toPlain } from "./effectProvider.ts"
export { effectMetricSource, fromMetricSource, metricSourcesOf } from "./metricSource.ts"
export { fromPlugin } from "./fromPlugin.ts"
export { effectNotifier, fromNotifier, notifiersOf, type ReadSecret } from "./notifier.ts"
export type * from "./PlainMetricSource.ts"
export * from "./PlainNotifier.ts"
export * from "./PlainProvider.ts"
export type * from "./PlainStore.ts"
export * from "./Plugin.ts"
export * from "./PluginInvalid.ts"
export { type Referable, stackBuilder, type StackBuilder } from "./stackBuilder.ts"
export { effectStore, layerPlugin } from "./store.ts"
export type {
  AppendOutcome,
  Commit,
  DeliveryRow,
  DeliveryRowQuery,
  DueRowQuery,
  DeploymentRow,
  EnvironmentRow,
  EventRow,
  EventRowQuery,
  ExecutionRow,
  ExecutionRowQuery,
  NewEventRow,
  OutboxCommit,
  OutboxOutcome,
  OwedRow,
  OwedRowQuery,
  StreamHead
} from "../store/Encoded.ts"
