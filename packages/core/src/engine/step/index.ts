/** The journaled steps of an execution, what they share, and their calls of providers. */
export * as Control from "./Control.ts"
export { abortedBy, concerns, type IssuedCommand } from "./Control.ts"
export {
  endStages,
  ExecutionContext,
  outputs,
  providerOf,
  stacks,
  syncPaused,
  transitionDeployment,
  transitionExecution,
  transitionStack,
  transitionStage
} from "./ExecutionContext.ts"
export { mutationOf } from "./Mutation.ts"
export { call, observing } from "./ProviderCall.ts"
export { renewing } from "./Renewal.ts"
export { callSpan, refOf, step, type StepServices, within } from "./Step.ts"
export { StepFailed } from "./StepFailed.ts"
export * as Waits from "./Waits.ts"
