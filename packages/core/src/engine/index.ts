/**
 * The engine: executions as durable workflows whose journal is the event log.
 */
export {
  type AdmissionRequest,
  type PolicyDecision,
  deploymentIdOf,
  RecordedManifest,
  type ReportedOutcome,
  Sweep
} from "./admission/index.ts"
export { Estimation, HistoryReplay } from "./estimation/index.ts"
export { CanDeploy, type Health, type Orphans, QueueStatus } from "./preview/index.ts"
export { Monitor } from "./monitor/index.ts"
export { consoleNotifier, layerNotifications, NotifyWorker } from "./notify/index.ts"
export { LocalCommands, runsAround, Reconciliation } from "./command/index.ts"
export * from "./facade/index.ts"
export { Signalbox } from "./Signalbox.ts"
export { RunnerIdentity } from "./lease/index.ts"
export { spansOf, type TraceLink, type TraceSpan } from "./trace/index.ts"
export type { CommandOutcome, CommandExecution } from "./execution/index.ts"
