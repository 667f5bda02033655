/** Read-only questions: plans, what is deployed, whether a deployment may start. */
export * as CanDeploy from "./CanDeploy.ts"
export * as Health from "./Health.ts"
export * as Logs from "./Logs.ts"
export * as Orphans from "./Orphans.ts"
export * as Preview from "./Preview.ts"
export * as QueueStatus from "./QueueStatus.ts"
export { restorable } from "./StillKept.ts"
