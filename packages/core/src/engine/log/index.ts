/** The journal, the workflow engine behind it, and the events that close an execution. */
export { changeFeed, lastingChanges } from "./ChangeFeed.ts"
export { closureEvents } from "./Closure.ts"
export { type DueAlert, endAlert } from "./EndAlert.ts"
export * as EventLogEngine from "./EventLogEngine.ts"
export { StepInfo } from "./EventLogEngine.ts"
export * as ExecutionLog from "./ExecutionLog.ts"
export type { DueEvent } from "./ExecutionLog.ts"
export { type Journal, openJournal, requestOf } from "./Journal.ts"
