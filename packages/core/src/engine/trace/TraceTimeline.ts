/**
 * What a log says about time: which runner worked when, which step took how long, and what was observed meanwhile.
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"
import * as EventId from "../../domain/EventId.ts"
import type { Event, EventOf, NewEvent } from "../../domain/Event.ts"
import type { ErrorInfo } from "../../domain/errors/index.ts"
import * as Execution from "../../domain/Execution.ts"
import type { Json } from "../../domain/Release.ts"
import type { Verdict } from "../../domain/Verdict.ts"
import { describeCause } from "../../text/index.ts"
import { Attribute, type Attributes, sanitize, type SpanData } from "../../telemetry/index.ts"

type SpanEvent = SpanData["events"][number]

/** One runner's share. `cut` if it ended abruptly: killed, or disconnected. */
export interface RunnerSpan {
  readonly fence: number
  readonly runner: string
  readonly resumed: boolean
  readonly parent: string | undefined
  readonly start: number
  end: number | undefined
  cut: boolean
}

/** One step, from its intent to its receipt, however many runners that took. */
export interface StepSpan {
  readonly key: string
  readonly name: string
  readonly operation: string
  readonly stage: string | undefined
  readonly stack: string | undefined
  readonly start: number
  end: number | undefined
  error: { readonly code: string; readonly message: string } | undefined
  attributes: Attributes
  readonly events: Array<SpanEvent>
}

export interface TraceTimeline {
  readonly state: Execution.ExecutionState
  readonly request: EventOf<"ExecutionRequested">
  readonly runs: ReadonlyArray<RunnerSpan>
  readonly steps: ReadonlyArray<StepSpan>
  readonly traffic: ReadonlyArray<{
    readonly stack: string
    readonly stage: string
    readonly at: number
    readonly candidate: number
  }>
}

const verdictEvent = ({ at, measured, step, verdict }: Verdict): SpanEvent => ({
  name: "gate.verdict",
  at,
  attributes: {
    [Attribute.verdict]: verdict,
    [Attribute.watched]: step,
    ...(measured === undefined ? {} : { [Attribute.requests]: measured.requests, [Attribute.errors]: measured.errors })
  }
})

const errorIn = (exit: Json): StepSpan["error"] => {
  const stored = exit as {
    readonly _tag: string
    readonly defect?: { readonly message?: unknown } | string | number | boolean | null
    readonly error?: { readonly info?: ErrorInfo }
  }
  if (stored._tag === "Success") return undefined
  const { defect } = stored
  const said = typeof defect === "object" ? defect?.message : defect
  const info = stored.error?.info
  return info === undefined
    ? { code: stored._tag.toLowerCase(), message: String(said ?? "the step failed") }
    : { code: info.code, message: describeCause(info) }
}

/** Events of others in the stream say nothing about how long its runner lived. */
const byOthers = ({ event, id }: NewEvent) =>
  event._tag === "CommandIssued" || event._tag === "TraceExported" || EventId.isClosing(id)

/** Reads a log; undefined if it does not begin with a request. */
export const traceTimeline = (events: ReadonlyArray<NewEvent>): TraceTimeline | undefined => {
  let state: Execution.ExecutionState | undefined
  let request: TraceTimeline["request"] | undefined
  const runs: Array<RunnerSpan> = []
  const steps = new Map<string, StepSpan>()
  const traffic: Array<TraceTimeline["traffic"][number]> = []
  let lastAt = 0

  const openStep = (stack: string, operation: string) =>
    [...steps.values()].findLast(
      (step) => step.end === undefined && step.stack === stack && step.operation === operation
    )
  const openRun = () => runs.findLast(({ end }) => end === undefined)
  const note = (step: StepSpan | undefined, attributes: Attributes) => {
    if (step !== undefined) step.attributes = { ...step.attributes, ...attributes }
  }
  const end = (at: number, cut: boolean) => {
    const run = openRun()
    if (run === undefined) return
    run.end = at
    run.cut = cut
  }
  /** The last sign of life of a killed runner: its last event, or the last renewal of its claim. */
  const cutOff = (at: number, heldUntil: number | undefined) => {
    const ttl = request === undefined ? 0 : Duration.toMillis(request.spec.leaseTtl)
    end(Math.min(at, Math.max(lastAt, (heldUntil ?? 0) - ttl)), true)
  }

  const see = (at: number, event: Event, id: string) => {
    switch (event._tag) {
      case "ExecutionRequested":
        request = event
        break
      case "RunnerClaimed":
        cutOff(at, event.heldUntil)
        runs.push({
          fence: event.fence,
          runner: event.runner,
          resumed: event.resumed,
          parent: event.trace?.parent,
          start: at,
          end: undefined,
          cut: false
        })
        for (const step of steps.values()) {
          if (step.end === undefined) {
            step.events.push({ name: "runner.took", at, attributes: { [Attribute.fence]: event.fence } })
          }
        }
        break
      case "ExecutionTransitioned":
        if (EventId.isSetAside(id)) end(at, false)
        // Of a defect the runner itself writes.
        else if (EventId.isClosing(id) && event.error?.code === "defect") end(at, false)
        else if (EventId.isClosing(id)) cutOff(at, event.heldUntil)
        break
      case "StepStarted":
        steps.set(`${event.step}#${event.attempt}`, {
          key: `${event.step}#${event.attempt}`,
          name: event.step,
          operation: event.operation,
          stage: event.stage,
          stack: event.stack,
          start: at,
          end: undefined,
          error: undefined,
          attributes: {},
          events: []
        })
        break
      case "StepFinished": {
        const step = steps.get(`${event.step}#${event.attempt}`)
        if (step === undefined) break
        step.end = at
        step.error = errorIn(event.exit)
        break
      }
      case "VerdictReached": {
        const step = openStep(event.verdict.stack, "watch")
        step?.events.push(verdictEvent(event.verdict))
        note(step, { [Attribute.verdict]: event.verdict.verdict, [Attribute.watched]: event.verdict.step })
        break
      }
      case "ApprovalResolved":
        note(openStep(event.stack, "ask"), {
          [Attribute.answer]: event.answer,
          [Attribute.expired]: event.expired,
          ...(event.by === undefined ? {} : { [Attribute.actor]: sanitize(event.by) })
        })
        break
      case "TrafficObserved": {
        const stages = state?.stacks.find(({ name }) => name === event.stack)?.stages ?? []
        const stage = stages.findLast(({ status }) => status === "running" || status === "waiting")
        if (stage !== undefined) {
          traffic.push({ stack: event.stack, stage: stage.name, at, candidate: event.candidate })
        }
        break
      }
    }
  }

  for (const stored of events) {
    const folded = Execution.evolve(state, stored.at, stored.event)
    if (Result.isFailure(folded)) continue
    see(stored.at, stored.event, stored.id)
    state = folded.success
    if (!byOthers(stored)) lastAt = stored.at
  }
  if (state === undefined || request === undefined) return undefined
  if (Execution.isFinished(state)) end(state.finishedAt ?? lastAt, false)
  return { state, request, runs, steps: [...steps.values()], traffic }
}
