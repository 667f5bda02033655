/**
 * The four state machines of Signalbox. Status names and triggers are persisted: constants, never renamed.
 */
import * as Schema from "effect/Schema"
import * as Machine from "./Machine.ts"

/**
 * Status of a deployment in one environment.
 *
 * *Details*: `partial` means that some enabled stacks ended deployed and some failed. The `kept_*` triggers restore the
 * status from before an execution that was rolled back or cancelled.
 */
export const deploymentMachine = Machine.make({
  name: "deployment",
  initial: "initialized",
  states: ["initialized", "deploying", "deployed", "partial", "failed", "destroying", "destroyed", "unknown"],
  terminal: [],
  transitions: [
    {
      from: ["initialized", "deployed", "partial", "failed", "destroyed", "unknown"],
      on: "deploy_started",
      to: "deploying"
    },
    { from: ["deploying"], on: "deploy_completed", to: "deployed" },
    { from: ["deploying"], on: "deploy_partial", to: "partial" },
    { from: ["deploying"], on: "deploy_failed", to: "failed" },
    { from: ["deploying", "destroying"], on: "kept_initialized", to: "initialized" },
    { from: ["deploying", "destroying"], on: "kept_deployed", to: "deployed" },
    { from: ["deploying", "destroying"], on: "kept_partial", to: "partial" },
    { from: ["deploying", "destroying"], on: "kept_failed", to: "failed" },
    { from: ["deploying", "destroying"], on: "kept_destroyed", to: "destroyed" },
    { from: ["deploying", "destroying"], on: "kept_unknown", to: "unknown" },
    {
      from: ["initialized", "deployed", "partial", "failed", "destroyed", "unknown"],
      on: "destroy_started",
      to: "destroying"
    },
    { from: ["destroying"], on: "destroy_completed", to: "destroyed" },
    { from: ["destroying"], on: "destroy_failed", to: "failed" },
    {
      from: ["initialized", "deployed", "partial", "failed", "deploying", "destroying"],
      on: "lost_sight",
      to: "unknown"
    }
  ]
})

/**
 * Status of one stack in one environment.
 *
 * *Details*: after a rollback, a stack is `deployed` again at its old release, or `not_deployed` if there was none.
 */
export const stackMachine = Machine.make({
  name: "stack",
  initial: "not_deployed",
  states: ["not_deployed", "deploying", "deployed", "failed", "rolling_back", "destroying", "destroyed"],
  terminal: [],
  transitions: [
    { from: ["not_deployed", "deployed", "failed", "destroyed"], on: "deploy_started", to: "deploying" },
    { from: ["deploying"], on: "deploy_completed", to: "deployed" },
    { from: ["deploying"], on: "deploy_failed", to: "failed" },
    { from: ["deployed"], on: "validation_failed", to: "failed" },
    { from: ["deploying", "deployed", "failed", "rolling_back"], on: "rollback_started", to: "rolling_back" },
    { from: ["rolling_back"], on: "rolled_back", to: "deployed" },
    { from: ["rolling_back"], on: "rolled_back_to_nothing", to: "not_deployed" },
    { from: ["rolling_back"], on: "rollback_failed", to: "failed" },
    { from: ["not_deployed", "deployed", "failed", "destroyed"], on: "destroy_started", to: "destroying" },
    { from: ["destroying"], on: "destroy_completed", to: "destroyed" },
    { from: ["deploying", "rolling_back", "destroying"], on: "interrupted", to: "failed" },
    { from: ["destroying"], on: "destroy_failed", to: "failed" }
  ]
})

/**
 * Status of an execution, from its request to one of four ends.
 */
export const executionMachine = Machine.make({
  name: "execution",
  initial: "queued",
  states: ["queued", "in_progress", "paused", "rolling_back", "completed", "failed", "rolled_back", "cancelled"],
  terminal: ["completed", "failed", "rolled_back", "cancelled"],
  transitions: [
    { from: ["queued"], on: "started", to: "in_progress" },
    { from: ["in_progress"], on: "paused", to: "paused" },
    { from: ["paused"], on: "resumed", to: "in_progress" },
    { from: ["in_progress", "paused"], on: "rollback_started", to: "rolling_back" },
    // Paused when nothing was left to do, so there is nothing to wait for.
    { from: ["in_progress", "paused"], on: "completed", to: "completed" },
    { from: ["rolling_back"], on: "rolled_back", to: "rolled_back" },
    { from: ["queued", "in_progress", "paused", "rolling_back"], on: "failed", to: "failed" },
    { from: ["queued", "in_progress", "paused"], on: "cancelled", to: "cancelled" }
  ]
})

/**
 * Status of a stage, of an execution as a whole or of one stack in it. `waiting` means waiting for a person or a clock.
 */
export const stageMachine = Machine.make({
  name: "stage",
  initial: "pending",
  states: ["pending", "running", "waiting", "succeeded", "failed", "skipped", "cancelled"],
  terminal: ["succeeded", "failed", "skipped", "cancelled"],
  transitions: [
    { from: ["pending"], on: "started", to: "running" },
    { from: ["running"], on: "waiting", to: "waiting" },
    { from: ["waiting"], on: "resumed", to: "running" },
    { from: ["running", "waiting"], on: "succeeded", to: "succeeded" },
    { from: ["running", "waiting"], on: "failed", to: "failed" },
    { from: ["pending"], on: "skipped", to: "skipped" },
    { from: ["pending", "running", "waiting"], on: "cancelled", to: "cancelled" }
  ]
})

/** The status of a deployment in one environment; see `deploymentMachine`. */
export const DeploymentStatus = Schema.Literals(deploymentMachine.states)
export type DeploymentStatus = typeof DeploymentStatus.Type
/** What changes the status of a deployment in one environment. */
export const DeploymentTrigger = Schema.Literals(deploymentMachine.triggers)
export type DeploymentTrigger = typeof DeploymentTrigger.Type
/** The status of a stack; see `stackMachine`. */
export const StackStatus = Schema.Literals(stackMachine.states)
export type StackStatus = typeof StackStatus.Type
/** What changes the status of a stack. */
export const StackTrigger = Schema.Literals(stackMachine.triggers)
export type StackTrigger = typeof StackTrigger.Type
/** The status of an execution; see `executionMachine`. */
export const ExecutionStatus = Schema.Literals(executionMachine.states)
export type ExecutionStatus = typeof ExecutionStatus.Type
/** What changes the status of an execution. */
export const ExecutionTrigger = Schema.Literals(executionMachine.triggers)
export type ExecutionTrigger = typeof ExecutionTrigger.Type
/** The status of a stage; see `stageMachine`. */
export const StageStatus = Schema.Literals(stageMachine.states)
export type StageStatus = typeof StageStatus.Type
/** What changes the status of a stage. */
export const StageTrigger = Schema.Literals(stageMachine.triggers)
export type StageTrigger = typeof StageTrigger.Type

/**
 * The phases of an execution, and of each stack in it.
 */
export const StageName = Schema.Literals([
  "initialization",
  "health_check",
  "deployment",
  "validation",
  "rollback",
  "destruction"
])
export type StageName = typeof StageName.Type

/**
 * What an execution does. `run` wraps a foreign command, `observe` follows a foreign deployment.
 */
export const ExecutionKind = Schema.Literals([
  "deploy",
  "deploy-stack",
  "rollback",
  "destroy",
  "destroy-stack",
  "run",
  "observe"
])
export type ExecutionKind = typeof ExecutionKind.Type
