/** How a request becomes the one execution that runs: recorded, queued, admitted, superseded, withdrawn. */
export * as Admission from "./Admission.ts"
export { withdraw } from "./Admission.ts"
export { cleanup, type CleanupResult } from "./Cleanup.ts"
export { eachStack, type StackAsked, type StackPlace } from "./EachStack.ts"
export * as Initialization from "./Initialization.ts"
export { deploymentIdOf } from "./Initialization.ts"
export { overridePasses } from "./Override.ts"
export {
  type AdmissionRequest,
  type Blocker,
  type BlockerKind,
  freezes,
  policyBlockers,
  unknownBlocker
} from "./PolicyBlockers.ts"
export { leave } from "./Leave.ts"
export { withNotices } from "./PlanNotices.ts"
export * as PolicyDecisions from "./PolicyDecisions.ts"
export type { PolicyDecision } from "./PolicyDecisions.ts"
export { checkExclusive, planOne, refusalOf } from "./Preflight.ts"
export * as RecordedManifest from "./RecordedManifest.ts"
export type { ReportedOutcome } from "./ReportedOutcome.ts"
export { acquireRunnerLease } from "./RunnerLease.ts"
export { startingPoint } from "./StartingPoint.ts"
export { check, type Submission, submit } from "./Submission.ts"
export * as Sweep from "./Sweep.ts"
