/**
 * The messages of the watching process to its supervisor, one line each.
 */
import { eventView } from "@signalbox/core/api/views"
import type { Execution, StoredEvent } from "@signalbox/core/spi"
import { traceIdOf } from "@signalbox/core/telemetry"
import { sentence } from "../live/transition.ts"

/** An event of the log. `position` is its place, so that none is shown twice. */
export interface EventMessage {
  readonly _tag: "Event"
  readonly stream: string
  readonly position: number
  readonly seq: number
  readonly view: object
  readonly line: string | null
}

/** What it is waiting for. */
export interface LiveMessage {
  readonly _tag: "Live"
  readonly stream: string
  readonly text: string
}

/** An execution has ended, and that was reported. */
export interface OverMessage {
  readonly _tag: "Over"
  readonly stream: string
}

/** With `--follow`: everything up to there that began or ended has been watched. */
export interface HeardMessage {
  readonly _tag: "Heard"
  readonly position: number
}

/** A message for people that is in no log. */
export interface NoteMessage {
  readonly _tag: "Note"
  readonly text: string
}

/** Finished: with an execution, or because there was nothing to watch. */
export interface EndMessage {
  readonly _tag: "End"
  readonly exitCode: number
  readonly execution: Execution.ExecutionState | null
}

export type Message = EventMessage | LiveMessage | OverMessage | HeardMessage | NoteMessage | EndMessage

/** Events that only the engine reads. */
const inner: ReadonlySet<string> = new Set([
  "StepStarted",
  "StepFinished",
  "DeferredDone",
  "ClockSet",
  "LeaseAcquired",
  "CheckpointRecorded",
  "OutputsRecorded"
])

/** Whether an event is worth a line in a log file. */
export const isLogged = ({ event }: StoredEvent): boolean => !inner.has(event._tag)

const levels: Readonly<Record<string, string>> = {
  stalled: "warn",
  overdue: "warn",
  monitoring_gap: "warn",
  failed: "error"
}

const levelOf = ({ event }: StoredEvent): string => {
  if (event._tag === "AlertRaised") return levels[event.kind] ?? "info"
  return "error" in event && event.error !== undefined ? "error" : "info"
}

/** An event as a line of a log file: the fields of `events`, with its position in the log and its trace. */
export const lineView = (stored: StoredEvent) => ({
  schema: "signalbox.monitor/1" as const,
  level: levelOf(stored),
  correlationId: stored.stream,
  traceId: traceIdOf(stored.stream),
  ...eventView(stored),
  position: stored.position,
  message: sentence(stored) ?? stored.event._tag
})
