/**
 * The state of a deployment, and of a deployment in one environment: folds over the events of all its executions.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Event, EventOf } from "./Event.ts"
import { CorrelationId, DeploymentId, EnvironmentName, StackName, Timestamp } from "./Ids.ts"
import { IllegalTransition, move } from "./Illegal.ts"
import { deploymentMachine, DeploymentStatus, stackMachine, StackStatus } from "./Machines.ts"
import { Checkpoint, Outputs, Release } from "./Release.ts"

/**
 * The long-lived thing: an organization's project with its stacks and environments.
 *
 * @since 0.1.0
 */
export const Deployment = Schema.Struct({
  deploymentId: DeploymentId,
  organization: Schema.String,
  project: Schema.String,
  template: Schema.String,
  environments: Schema.Array(EnvironmentName),
  stacks: Schema.Array(StackName),
  createdAt: Timestamp
})
/** @since 0.1.0 */
export type Deployment = typeof Deployment.Type

/** The deployment that its first event makes. @since 0.1.0 */
export const beginDeployment = (at: Timestamp, event: EventOf<"DeploymentInitialized">): Deployment => ({
  deploymentId: event.deploymentId,
  organization: event.organization,
  project: event.project,
  template: event.template,
  environments: event.environments,
  stacks: event.stacks,
  createdAt: at
})

/**
 * One stack in one environment, across executions. `checkpoint` is what the last execution that changed it would go back to.
 *
 * @since 0.1.0
 */
export const StackInEnvironment = Schema.Struct({
  name: StackName,
  status: StackStatus,
  release: Schema.NullOr(Release),
  checkpoint: Schema.NullOr(Checkpoint),
  outputs: Outputs,
  updatedAt: Timestamp
})
/** @since 0.1.0 */
export type StackInEnvironment = typeof StackInEnvironment.Type

/**
 * A deployment in one environment.
 *
 * *Details*: `everDeployed` tells whether anything good was ever there, `current` which execution is under way and
 * `last` which one was asked for last.
 *
 * @since 0.1.0
 */
export const EnvironmentState = Schema.Struct({
  deploymentId: DeploymentId,
  environment: EnvironmentName,
  status: DeploymentStatus,
  everDeployed: Schema.Boolean,
  current: Schema.NullOr(CorrelationId),
  last: CorrelationId,
  stacks: Schema.Array(StackInEnvironment),
  updatedAt: Timestamp
})
/** @since 0.1.0 */
export type EnvironmentState = typeof EnvironmentState.Type

const request = (
  state: EnvironmentState | undefined,
  at: Timestamp,
  event: EventOf<"ExecutionRequested">
): EnvironmentState => {
  const known = state?.stacks ?? []
  const added = event.spec.stacks.filter(({ name }) => !known.some((stack) => stack.name === name))
  return {
    deploymentId: event.deploymentId,
    environment: event.environment,
    status: state?.status ?? deploymentMachine.initial,
    everDeployed: state?.everDeployed ?? false,
    current: event.correlationId,
    last: event.correlationId,
    stacks: [
      ...known,
      ...added.map(({ name }): StackInEnvironment => ({
        name,
        status: stackMachine.initial,
        release: null,
        checkpoint: null,
        outputs: {},
        updatedAt: at
      }))
    ],
    updatedAt: at
  }
}

const onStack = (
  state: EnvironmentState,
  at: Timestamp,
  name: StackName,
  change: (stack: StackInEnvironment) => Result.Result<StackInEnvironment, IllegalTransition>
): Result.Result<EnvironmentState, IllegalTransition> => {
  const before = state.stacks.find((stack) => stack.name === name)
  if (before === undefined) {
    return Result.fail(new IllegalTransition({ machine: "stack", subject: name, from: "absent", on: "changed" }))
  }
  return Result.map(change(before), (after) => ({
    ...state,
    stacks: state.stacks.map((stack) => (stack === before ? { ...after, updatedAt: at } : stack)),
    updatedAt: at
  }))
}

const ends: ReadonlySet<string> = new Set(["completed", "failed", "rolled_back", "cancelled"])

/**
 * Folds one event of an execution into the state of its environment. Events that say nothing of it leave it as it is (the
 * same object).
 *
 * *Errors*: `IllegalTransition` where the tables do not allow it.
 *
 * @since 0.1.0
 */
export const evolve = (
  state: EnvironmentState | undefined,
  at: Timestamp,
  stream: string,
  event: Event
): Result.Result<EnvironmentState | undefined, IllegalTransition> => {
  if (event._tag === "ExecutionRequested") return Result.succeed(request(state, at, event))
  if (state === undefined) return Result.succeed(state)
  switch (event._tag) {
    case "DeploymentMoved":
      return Result.map(move(deploymentMachine, state.deploymentId, state.status, event.on), (status) => ({
        ...state,
        status,
        everDeployed: state.everDeployed || status === "deployed" || status === "partial",
        updatedAt: at
      }))
    case "StackMoved":
      return onStack(state, at, event.stack, (stack) =>
        Result.map(move(stackMachine, event.stack, stack.status, event.on), (status) => ({
          ...stack,
          status,
          ...(event.release === undefined ? {} : { release: event.release })
        }))
      )
    case "CheckpointKept":
      return onStack(state, at, event.stack, (stack) => Result.succeed({ ...stack, checkpoint: event.checkpoint }))
    case "OutputsKept":
      return onStack(state, at, event.stack, (stack) => Result.succeed({ ...stack, outputs: event.outputs }))
    case "ExecutionMoved":
      return Result.succeed(
        ends.has(event.on) && state.current === stream ? { ...state, current: null, updatedAt: at } : state
      )
    default:
      return Result.succeed(state)
  }
}
