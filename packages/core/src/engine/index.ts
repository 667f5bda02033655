/**
 * The engine: executions as durable workflows whose journal is the event log.
 *
 * @since 0.1.0
 */
export type { Asked, Blocker, BlockerKind } from "./Blockers.ts"
export type { Clearing } from "./Clearing.ts"
export * as CanDeploy from "./CanDeploy.ts"
export type { Cleaned } from "./Cleanup.ts"
export * as Configuration from "./Configuration.ts"
export { type Config, defineConfig } from "./Configuration.ts"
export { ConfigurationInvalid, ConfigurationIssue } from "./ConfigurationIssue.ts"
export { output, type OutputReference, secret, type SecretReference } from "./ConfigurationOutputs.ts"
export * as Monitor from "./Monitor.ts"
export type { Decision } from "./Governing.ts"
export { CommandsHere } from "./LeftBehind.ts"
export * as Estimating from "./Estimating.ts"
export { deploymentIdOf } from "./Initialization.ts"
export * as Queueing from "./Queueing.ts"
export * as Reconciling from "./Reconciling.ts"
export * from "./Refused.ts"
export type { Reported } from "./Reported.ts"
export * from "./Signalbox.ts"
export * as Replaying from "./Replaying.ts"
export { RunnerIdentity } from "./RunnerIdentity.ts"
export * as Sweeping from "./Sweeping.ts"
export { referenceIn } from "./OutputReference.ts"
export { spansOf, type TraceLink, type TraceSpan } from "./Trace.ts"
export type { Ended, Wrapped } from "./Wrapping.ts"
