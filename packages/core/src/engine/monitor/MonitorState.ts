/**
 * What a monitor knows of an execution: a fold over the log. `StallDetection.ts` decides about its alerts.
 */
import * as Result from "effect/Result"
import type { Event, EventOf, StoredEvent } from "../../domain/Event.ts"
import { evolve, type ExecutionState, isFinished, waitsForPeople } from "../../domain/Execution.ts"
import type { CauseInfo } from "../../domain/errors/index.ts"
import type { StackName } from "../../domain/Ids.ts"
import type { StageName } from "../../domain/Machines.ts"
import { endAlert } from "../log/index.ts"

/**
 * A running stage of a stack, or a resource in progress in it, as the estimator needs it. `heardAt` is when the monitor
 * learned of it, `id` names the event.
 */
export interface RunningStage {
  readonly id: string
  readonly heardAt: number
  readonly stack: StackName
  readonly stage: StageName
  readonly resource?: { readonly name: string; readonly type: string }
}

/** A reported stall without a recovery yet. */
export interface Stall {
  /** The id of the event after which nothing came, or of the start of the stage that takes too long. */
  readonly about: string
  readonly of: "silence" | "stage"
}

/**
 * The knowledge of a monitor.
 *
 * *Details*: times are the monitor's own monotonic ones. `position` belongs to the last event that it has seen, `last`
 * is the last one that was not a monitor's own. `waitedMs` is how long people were waited for, without the wait since
 * `waitsSince`. `told` holds the ids of alerts, `seen` the last observation of each resource.
 */
export interface MonitorState {
  readonly execution: ExecutionState | undefined
  readonly position: number
  readonly last: { readonly id: string; readonly heardAt: number } | undefined
  readonly begunAt: number | undefined
  readonly waitedMs: number
  readonly waitsSince: number | undefined
  readonly stages: ReadonlyMap<string, RunningStage>
  readonly stalls: ReadonlyArray<Stall>
  readonly told: ReadonlySet<string>
  readonly seen: ReadonlyMap<string, string>
  /** The last provider event that was seen of each stack. */
  readonly cursors: ReadonlyMap<string, string>
}

export const initial: MonitorState = {
  execution: undefined,
  position: 0,
  last: undefined,
  begunAt: undefined,
  waitedMs: 0,
  waitsSince: undefined,
  stages: new Map(),
  stalls: [],
  told: new Set(),
  seen: new Map(),
  cursors: new Map()
}

const own: ReadonlySet<Event["_tag"]> = new Set<Event["_tag"]>(["MonitorClaimed", "AlertRaised", "TraceExported"])

/**
 * Whether an event is not a monitor's own, and so shows that the execution progresses.
 */
export const isForeignEvent = ({ event }: Pick<StoredEvent, "event">): boolean => !own.has(event._tag)

const stallsAfter = (
  stalls: ReadonlyArray<Stall>,
  { about, kind, stall: of }: EventOf<"AlertRaised">
): ReadonlyArray<Stall> => {
  if (about === undefined || of === undefined) return stalls
  return kind === "stalled"
    ? [...stalls, { of, about }]
    : stalls.filter((known) => known.about !== about || known.of !== of)
}

const stagesAfter = (
  stages: ReadonlyMap<string, RunningStage>,
  { event, id }: StoredEvent,
  heardAt: number
): ReadonlyMap<string, RunningStage> => {
  if (event._tag === "ProgressReported") return resourcesAfter(stages, event, id, heardAt)
  if (event._tag !== "StageTransitioned" || event.stack === undefined) return stages
  const { stack, stage } = event
  const after = new Map([...stages].filter(([, one]) => one.stack !== stack || one.stage !== stage))
  // After waiting for a person, the time restarts: people's response time is not a measure.
  if (event.on === "started" || event.on === "resumed") after.set(`${stack}/${stage}`, { id, heardAt, stack, stage })
  return after
}

/** A resource is in progress from its first event until it is done, or until its stage is over. */
const resourcesAfter = (
  stages: ReadonlyMap<string, RunningStage>,
  { done, resource, resourceType, stack }: EventOf<"ProgressReported">,
  id: string,
  heardAt: number
): ReadonlyMap<string, RunningStage> => {
  const running = [...stages.values()].findLast((one) => one.stack === stack && one.resource === undefined)
  if (resource === undefined || resourceType === undefined || running === undefined) return stages
  const { stage } = running
  const after = new Map(stages)
  const key = `${stack}/${stage}/${resource}`
  if (done === true) after.delete(key)
  else if (!after.has(key))
    after.set(key, { id, heardAt, stack, stage, resource: { name: resource, type: resourceType } })
  return after
}

/** What tells one state of a resource from another. */
export const signOf = ({ code, detail = "", params }: CauseInfo): string =>
  [code, ...Object.values(params), detail].join("/")

const hearProgress = (
  state: MonitorState,
  { cause, cursor, resource, source, stack }: EventOf<"ProgressReported">
): Pick<MonitorState, "cursors" | "seen"> => ({
  cursors: cursor === undefined ? state.cursors : new Map(state.cursors).set(stack, cursor),
  seen:
    resource !== undefined && cause !== undefined && source === "monitor"
      ? new Map(state.seen).set(`${stack}/${resource}`, signOf(cause))
      : state.seen
})

/**
 * Processes one event. An illegal transition leaves the execution as it was: a monitor only observes.
 */
export const observeEvent = (state: MonitorState, stored: StoredEvent, heardAt: number): MonitorState => {
  const { at, event, id, position } = stored
  const folded = evolve(state.execution, at, event)
  const execution = Result.isSuccess(folded) ? folded.success : state.execution
  const waits = execution !== undefined && waitsForPeople(execution)
  const begins =
    event._tag === "ExecutionRequested" ||
    event._tag === "ExecutionAdmitted" ||
    (event._tag === "ExecutionTransitioned" && event.on === "started")
  return {
    ...state,
    execution,
    position,
    last: isForeignEvent(stored) ? { id, heardAt } : state.last,
    begunAt: begins ? heardAt : state.begunAt,
    waitsSince: waits ? (state.waitsSince ?? heardAt) : undefined,
    waitedMs:
      !waits && state.waitsSince !== undefined
        ? state.waitedMs + Math.max(0, heardAt - state.waitsSince)
        : state.waitedMs,
    stages: stagesAfter(state.stages, stored, heardAt),
    ...(event._tag === "AlertRaised"
      ? { told: new Set(state.told).add(id), stalls: stallsAfter(state.stalls, event) }
      : event._tag === "ProgressReported"
        ? hearProgress(state, event)
        : {})
  }
}

/**
 * How long the execution has been in progress, without the time spent waiting for people.
 */
export const underWay = (state: MonitorState, now: number): number =>
  state.begunAt === undefined
    ? 0
    : Math.max(0, now - state.begunAt - state.waitedMs - (state.waitsSince === undefined ? 0 : now - state.waitsSince))

/** How long nothing has happened. */
export const silentFor = (state: MonitorState, now: number): number =>
  state.last === undefined ? 0 : Math.max(0, now - state.last.heardAt)

/**
 * Whether nothing is left to watch: it has ended, and that was reported.
 */
export const isOver = (state: MonitorState): boolean =>
  state.execution !== undefined && isFinished(state.execution) && state.told.has(endAlert(state.execution).id)
