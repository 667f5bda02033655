/**
 * Questions and answers of the facade, as data: the one truth for `--json`, the SDK and HTTP. A `…View` is a schema, whose
 * JSON is what `--json` prints; the function of the same name makes it.
 */
export * from "./AnalysisView.ts"
export * from "./CoordinationView.ts"
export * from "./DeploymentView.ts"
export * from "./ExecutionView.ts"
export { Blocker, BlockerKind, CanDeployAnswer, ExpectedClearance } from "./CanDeployAnswer.ts"
export { Instant } from "./Instant.ts"
export { LogLineView, StackLogLine } from "./LogLineView.ts"
export { MonitorReport } from "./MonitorReport.ts"
export { ObservedStack, PlannedStack, StackHealth } from "./Plan.ts"
export { CleanupResult, QueueEntry, QueuePlace, QueueStatus } from "./QueueStatus.ts"
export { NoticeView } from "./NoticeView.ts"
export { reject, Rejected, unknownExecution } from "./Rejected.ts"
export { CanDeployRequest, CommandRequest, Request } from "./Request.ts"
export { Submission } from "./Submission.ts"
export * from "./views/index.ts"
