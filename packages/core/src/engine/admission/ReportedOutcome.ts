/**
 * The reported outcome of work outside, under a correlation id that was only registered.
 */
import * as EventId from "../../domain/EventId.ts"
import type { EnvironmentState } from "../../domain/Environment.ts"
import type { Event } from "../../domain/Event.ts"
import type { ExecutionState, StageState } from "../../domain/Execution.ts"
import type { StackName, Timestamp } from "../../domain/Ids.ts"
import type { DeploymentTrigger, ExecutionKind, StackTrigger, StageName } from "../../domain/Machines.ts"
import type { DueEvent } from "../log/index.ts"
import { causeInfo, type ErrorInfo, errorInfo } from "../../domain/errors/index.ts"
import type { Release } from "../../domain/Release.ts"

/** The outcome, according to the caller of `cleanup`. */
export type ReportedOutcome = "succeeded" | "failed" | "cancelled"

interface Moves {
  readonly stage: StageName
  readonly deployment: readonly [started: DeploymentTrigger, good: DeploymentTrigger, bad: DeploymentTrigger]
  readonly stack: readonly [started: StackTrigger, good: StackTrigger, bad: StackTrigger]
}

const deploys: Moves = {
  stage: "deployment",
  deployment: ["deploy_started", "deploy_completed", "deploy_failed"],
  stack: ["deploy_started", "deploy_completed", "deploy_failed"]
}
const destroys: Moves = {
  stage: "destruction",
  deployment: ["destroy_started", "destroy_completed", "destroy_failed"],
  stack: ["destroy_started", "destroy_completed", "destroy_failed"]
}
const goesBack: Moves = {
  stage: "rollback",
  deployment: deploys.deployment,
  stack: ["rollback_started", "rolled_back", "rollback_failed"]
}

const movesOf = (kind: ExecutionKind): Moves =>
  kind === "rollback" ? goesBack : kind === "destroy" || kind === "destroy-stack" ? destroys : deploys

/**
 * As in the table of the commands: operations on one stack do not change the deployment, and neither does a command for
 * some stacks.
 */
const movesDeployment = ({ correlationId, kind, stacks }: ExecutionState, environment: EnvironmentState | undefined) =>
  environment?.current === correlationId && !kind.endsWith("-stack") && (kind !== "run" || stacks.length === 0)

/** What the stack has now; undefined if it was not reported. */
const releaseOf = (
  { kind, version }: ExecutionState,
  environment: EnvironmentState | undefined,
  stack: StackName
): Release | null | undefined => {
  if (kind === "destroy" || kind === "destroy-stack") return null
  if (kind === "rollback") return environment?.stacks.find(({ name }) => name === stack)?.checkpoint?.release ?? null
  return version === undefined ? undefined : { id: `${kind}/${version}`, version, configDigest: "" }
}

/**
 * Its events: it began on admission, and this is how it ended. Unreported stacks are skipped.
 */
export const reportedOutcomeEvents = (
  state: ExecutionState,
  environment: EnvironmentState | undefined,
  at: Timestamp,
  status: Exclude<ReportedOutcome, "cancelled">,
  { by, reason }: { readonly by: string; readonly reason?: string }
): ReadonlyArray<DueEvent> => {
  const good = status === "succeeded"
  const { deployment, stack: triggers, stage } = movesOf(state.kind)
  const error: { readonly error?: ErrorInfo } = good
    ? {}
    : { error: errorInfo("reported_failed", { by }, { detail: reason }) }
  const moved = movesDeployment(state, environment)
  const stages = (of: ReadonlyArray<StageState>, began: boolean, stack: { readonly stack?: StackName } = {}) =>
    of.flatMap(({ name }): ReadonlyArray<Event> => {
      if (name !== stage) return began ? [] : [{ _tag: "StageTransitioned", stage: name, on: "skipped", ...stack }]
      return [{ _tag: "StageTransitioned", stage, on: began ? "started" : good ? "succeeded" : "failed", ...stack }]
    })
  const moveStack = (
    name: StackName,
    on: StackTrigger,
    more: Partial<Event & { readonly _tag: "StackTransitioned" }> = {}
  ): Event => ({
    _tag: "StackTransitioned",
    stack: name,
    on,
    ...more
  })
  const began: ReadonlyArray<Event> = [
    { _tag: "ExecutionTransitioned", on: "started" },
    ...(moved ? [{ _tag: "DeploymentTransitioned", on: deployment[0] } as const] : []),
    ...stages(state.stages, true),
    ...state.stacks.flatMap(({ name, stages: of }) => [
      ...stages(of, true, { stack: name }),
      moveStack(name, triggers[0])
    ])
  ]
  const ended: ReadonlyArray<Event> = [
    ...state.stacks.flatMap(({ name, stages: of }) => {
      const release = releaseOf(state, environment, name)
      const on =
        good && triggers[1] === "rolled_back" && release === null ? "rolled_back_to_nothing" : triggers[good ? 1 : 2]
      return [
        ...stages(of, false, { stack: name }),
        moveStack(name, on, { ...(good && release !== undefined ? { release } : {}), ...error })
      ]
    }),
    ...stages(state.stages, false),
    ...(moved ? [{ _tag: "DeploymentTransitioned", on: deployment[good ? 1 : 2] } as const] : []),
    {
      _tag: "ExecutionTransitioned",
      on: good ? "completed" : "failed",
      ...(good ? { cause: causeInfo("reported", { by }, reason) } : error)
    }
  ]
  const since = state.turnAt ?? at
  return [...began.map((event) => [since, event] as const), ...ended.map((event) => [at, event] as const)].map(
    ([at, event], index) => ({ id: EventId.reported(index), at, event })
  )
}
