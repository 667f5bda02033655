/**
 * The alerts that a monitor has to raise: decided from what it knows, and from what is usual.
 */
import * as EventId from "../../domain/EventId.ts"
import type { EventOf } from "../../domain/Event.ts"
import { type ExecutionState, isFinished, isQueued, waitsForPeople } from "../../domain/Execution.ts"
import { type DueAlert, endAlert } from "../log/index.ts"
import { isOver, type MonitorState, type RunningStage, silentFor, type Stall, underWay } from "./MonitorState.ts"

/**
 * The thresholds of alerts.
 *
 * *Details*: `stallAfterMs` without an event; `overdueAfterMs` from its start on, none by default. `unusual` says that
 * a stage lasts unusually long, based on `n` earlier ones, and `unusualWhole` that the execution does.
 */
export interface AlertLimits {
  readonly stallAfterMs: number
  readonly overdueAfterMs?: number
  readonly unusual?: (
    stage: RunningStage,
    execution: ExecutionState,
    elapsedMs: number
  ) => { readonly threshold: number; readonly n: number } | undefined
  readonly unusualWhole?: (elapsedMs: number) => { readonly threshold: number; readonly n: number } | undefined
}

const hasMoved = (state: MonitorState, { about, of }: Stall): boolean =>
  of === "silence" ? state.last?.id !== about : [...state.stages.values()].every(({ id }) => id !== about)

const alert = (id: EventId.EventId, fields: Omit<EventOf<"AlertRaised">, "_tag">): DueAlert => ({
  id,
  event: { _tag: "AlertRaised", ...fields }
})

const slowStage = (
  state: MonitorState,
  execution: ExecutionState,
  now: number,
  { unusual }: AlertLimits
): DueAlert | undefined => {
  if (unusual === undefined) return undefined
  for (const { heardAt, id: about, resource, stack, stage } of state.stages.values()) {
    const id = EventId.stalled("stage", about)
    const elapsed = now - heardAt
    const found = state.told.has(id)
      ? undefined
      : unusual(
          { id: about, heardAt, stack, stage, ...(resource === undefined ? {} : { resource }) },
          execution,
          elapsed
        )
    if (found === undefined) continue
    return alert(id, {
      kind: "stalled",
      stall: "stage",
      about,
      stack,
      stage,
      ...(resource === undefined ? {} : { resource: resource.name, resourceType: resource.type }),
      elapsedMs: Math.round(elapsed),
      thresholdMs: Math.round(found.threshold),
      n: found.n
    })
  }
  return undefined
}

const stallOf = (
  state: MonitorState,
  execution: ExecutionState,
  now: number,
  limits: AlertLimits
): DueAlert | undefined => {
  const silent = silentFor(state, now)
  const about = state.last?.id
  if (about === undefined || silent < limits.stallAfterMs) return slowStage(state, execution, now, limits)
  const id = EventId.stalled("silence", about)
  return state.told.has(id)
    ? undefined
    : alert(id, {
        kind: "stalled",
        stall: "silence",
        about,
        elapsedMs: Math.round(silent),
        thresholdMs: limits.stallAfterMs
      })
}

const overdueAlert = (
  state: MonitorState,
  now: number,
  { overdueAfterMs, unusualWhole }: AlertLimits
): DueAlert | undefined => {
  const elapsed = underWay(state, now)
  if (state.told.has(EventId.overdue)) return undefined
  if (overdueAfterMs !== undefined && elapsed >= overdueAfterMs) {
    return alert(EventId.overdue, { kind: "overdue", elapsedMs: Math.round(elapsed), thresholdMs: overdueAfterMs })
  }
  const found = unusualWhole?.(elapsed)
  return found === undefined
    ? undefined
    : alert(EventId.overdue, {
        kind: "overdue",
        elapsedMs: Math.round(elapsed),
        thresholdMs: Math.round(found.threshold),
        n: found.n
      })
}

/**
 * The alerts to raise now. The same log and a later time give the same ids, so the first writer raises them.
 */
export const dueAlerts = (state: MonitorState, now: number, limits: AlertLimits): ReadonlyArray<DueAlert> => {
  const { execution } = state
  if (execution === undefined) return []
  if (isFinished(execution)) return isOver(state) ? [] : [endAlert(execution)]
  const moved = state.stalls.filter((stall) => hasMoved(state, stall))
  const found = moved.map(({ about, of }) =>
    alert(EventId.recovered(of, about), { kind: "recovered", stall: of, about })
  )
  // Waiting in the queue is not a stall.
  if (isQueued(execution) || waitsForPeople(execution)) return found
  const stall = state.stalls.length > moved.length ? undefined : stallOf(state, execution, now, limits)
  if (stall !== undefined) found.push(stall)
  const long = overdueAlert(state, now, limits)
  if (long !== undefined) found.push(long)
  return found
}
