import type { EnvironmentState } from "../../domain/Environment.ts"
import * as EventId from "../../domain/EventId.ts"
import type { ExecutionState, StageState } from "../../domain/Execution.ts"
import type { StackName, Timestamp } from "../../domain/Ids.ts"
import { causeOf, type ErrorInfo } from "../../domain/errors/index.ts"
import type { DueEvent } from "./ExecutionLog.ts"

/**
 * The events that end an execution which cannot continue: its runner is gone for good and another execution replaces
 * it, or it met a defect. Work in progress counts as failed, or as cancelled if a person had stopped it (Ctrl-C, a
 * pause) and another one replaces it, since its outcome will never be known. Nothing is called.
 */
export const closureEvents = (
  state: ExecutionState,
  environment: EnvironmentState | undefined,
  at: Timestamp,
  error: ErrorInfo
): ReadonlyArray<DueEvent> => {
  const cause = causeOf(error)
  const stopped = state.status === "paused" && error.code === "superseded"
  const ended = stopped ? "cancelled" : "failed"
  const stages = (of: ReadonlyArray<StageState>, stack?: StackName): ReadonlyArray<DueEvent> =>
    of.flatMap(({ name, status }) => {
      const on = status === "pending" ? "skipped" : status === "running" || status === "waiting" ? ended : undefined
      return on === undefined
        ? []
        : [
            {
              id: EventId.closingStage(name, stack),
              at,
              event: { _tag: "StageTransitioned", stage: name, on, cause, ...(stack === undefined ? {} : { stack }) }
            }
          ]
    })
  const stacks = state.stacks.flatMap(({ name, status }): ReadonlyArray<DueEvent> =>
    status === "deploying" || status === "rolling_back" || status === "destroying"
      ? [
          {
            id: EventId.closingStack(name),
            at,
            event: { _tag: "StackTransitioned", stack: name, on: "interrupted", error }
          }
        ]
      : []
  )
  // The effects of a command that was cut off are unknown.
  const on =
    environment?.status === "deploying" && state.kind === "run"
      ? "lost_sight"
      : environment?.status === "deploying"
        ? "deploy_failed"
        : environment?.status === "destroying"
          ? "destroy_failed"
          : undefined
  return [
    ...stages(state.stages),
    ...state.stacks.flatMap((stack) => stages(stack.stages, stack.name)),
    ...stacks,
    ...(on === undefined || environment?.current !== state.correlationId
      ? []
      : [
          {
            id: EventId.closingDeployment,
            at,
            event: { _tag: "DeploymentTransitioned", on, cause }
          } satisfies DueEvent
        ]),
    {
      id: EventId.closingExecution,
      at,
      event: { _tag: "ExecutionTransitioned", on: state.status === "queued" ? "cancelled" : ended, error }
    }
  ]
}
