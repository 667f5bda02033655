import * as Result from "effect/Result"
import * as Environment from "../../domain/Environment.ts"
import type { NewEvent } from "../../domain/Event.ts"
import * as Execution from "../../domain/Execution.ts"
import { IllegalTransition } from "../../domain/Illegal.ts"

/** What the events of one stream fold into. */
export interface States {
  readonly execution: Execution.ExecutionState | undefined
  readonly environment: Environment.EnvironmentState | undefined
  readonly deployment: Environment.Deployment | undefined
}

const refuse = (subject: string, from: string, on: string) =>
  Result.fail(new IllegalTransition({ machine: "deployment", subject, from, on }))

const step = (states: States, stream: string, { at, event }: NewEvent): Result.Result<States, IllegalTransition> => {
  if (event._tag === "DeploymentInitialized") {
    if (states.deployment !== undefined) return refuse(stream, "present", event._tag)
    if (states.execution !== undefined) return refuse(stream, "an execution", event._tag)
    return event.deploymentId === stream
      ? Result.succeed({ ...states, deployment: Environment.beginDeployment(at, event) })
      : refuse(stream, "another stream", event._tag)
  }
  if (states.deployment !== undefined) {
    return Result.map(Environment.evolveDeployment(states.deployment, at, event), (deployment) => ({
      ...states,
      deployment
    }))
  }
  if (event._tag === "ExecutionRequested" && event.correlationId !== stream) {
    return Result.fail(
      new IllegalTransition({
        machine: "execution",
        subject: event.correlationId,
        from: "another stream",
        on: event._tag
      })
    )
  }
  return Result.flatMap(Execution.evolve(states.execution, at, event), (execution) =>
    Result.map(Environment.evolve(states.environment, at, stream, event), (environment) => ({
      ...states,
      execution,
      environment
    }))
  )
}

/** Folds events over the states, or reports the illegal transition. An unchanged state stays the same object. */
export const fold = (
  states: States,
  stream: string,
  events: ReadonlyArray<NewEvent>
): Result.Result<States, IllegalTransition> => {
  let after: Result.Result<States, IllegalTransition> = Result.succeed(states)
  for (const event of events) after = Result.flatMap(after, (before) => step(before, stream, event))
  return after
}
