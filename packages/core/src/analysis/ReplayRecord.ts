/** The parts of an execution's log that are needed to judge it again. */
import type { Event, EventOf, StoredEvent } from "../domain/Event.ts"
import type { CauseInfo, ErrorInfo } from "../domain/errors/index.ts"
import type { StackName } from "../domain/Ids.ts"
import type { ExecutionStatus, StageName } from "../domain/Machines.ts"
import type { Json } from "../domain/Release.ts"
import type { StackSpec } from "../domain/Spec.ts"
import type { Verdict } from "../domain/Verdict.ts"
import { describeCause, describeCauses } from "../text/index.ts"

/** One look at a release. `runner` counts the runners: each restarts its comparison. */
export interface Look {
  readonly verdict: Verdict
  readonly runner: number
}

/** How a round ended: `cut` if something else ended it, or nothing yet. */
export type RoundEnd = "passed" | "promoted" | "asked" | "failed" | "cut"

/** One bake of one step, with its measurements. */
export interface Round {
  readonly stack: StackName
  readonly stage: StageName
  readonly label: string
  readonly weight: number
  readonly startedAt: number
  readonly looks: Array<Look>
  end: RoundEnd
  endedAt: number | null
  reason: string
  /** The outcome of the question, if one was asked. */
  answer: "continue" | "retry" | "abort" | null
}

/** One stack of the execution. `since` is when its deployment began: grace periods count from there. */
export interface RecordedStack {
  readonly spec: StackSpec
  readonly rounds: Array<Round>
  since: number | null
  /** Whether there was no release before: every strategy then takes all traffic at once. */
  first: boolean
  /** Whether there was nothing to change. */
  unchanged: boolean
}

export interface Recorded {
  readonly request: EventOf<"ExecutionRequested">
  readonly requestedAt: number
  readonly stacks: ReadonlyArray<RecordedStack>
  readonly status: ExecutionStatus
  readonly endedAt: number | null
  readonly reason: string | null
}

const weightOf = (label: string): number => {
  const percent = /(\d+(?:\.\d+)?)%$/.exec(label)?.[1]
  return percent === undefined ? 100 : Number(percent)
}

/** Splits `watch/web/canary 10%/1` into its parts. A stack's name contains no slash. */
const partsOf = (step: string): { readonly stack: string; readonly label: string } => {
  const [, stack = "", ...rest] = step.split("/")
  return { stack, label: rest.slice(0, -1).join("/") }
}

interface Receipt {
  readonly _tag: string
  readonly value?: {
    readonly verdict?: string
    readonly findings?: ReadonlyArray<CauseInfo>
    readonly promotedBy?: string
    readonly answer?: Round["answer"]
  }
  readonly error?: { readonly why?: string; readonly info?: ErrorInfo }
}

const close = (round: Round, at: number, exit: Json): void => {
  const { error, value } = exit as unknown as Receipt
  round.endedAt = at
  round.reason =
    value?.findings !== undefined
      ? describeCauses(value.findings)
      : error?.info !== undefined
        ? describeCause(error.info)
        : "it ended with a defect"
  round.end =
    value === undefined
      ? error?.why === "gate"
        ? "failed"
        : "cut"
      : value.verdict !== "pass"
        ? "asked"
        : value.promotedBy !== undefined
          ? "promoted"
          : "passed"
}

const ends: Readonly<Record<string, ExecutionStatus>> = {
  started: "in_progress",
  resumed: "in_progress",
  paused: "paused",
  rollback_started: "rolling_back",
  completed: "completed",
  rolled_back: "rolled_back",
  failed: "failed",
  cancelled: "cancelled"
}
const terminal: ReadonlySet<string> = new Set<ExecutionStatus>(["completed", "rolled_back", "failed", "cancelled"])

/** Reads the log of one execution; undefined if it does not begin with a request. */
export const recordOf = (events: ReadonlyArray<StoredEvent>): Recorded | undefined => {
  const [first] = events
  if (first?.event._tag !== "ExecutionRequested") return undefined
  const request = first.event
  const stacks = request.spec.stacks
    .filter(({ enabled }) => enabled)
    .map((spec): RecordedStack => ({ spec, rounds: [], since: null, first: false, unchanged: false }))
  const stackOf = (name: string | undefined) => stacks.find(({ spec }) => spec.name === name)
  const steps = new Map<string, Round>()
  let runner = 0
  let status: ExecutionStatus = "queued"
  let endedAt: number | null = null
  let reason: string | null = null

  const read = (at: number, event: Event): void => {
    switch (event._tag) {
      case "RunnerClaimed":
        runner += 1
        return
      case "ExecutionTransitioned":
        status = ends[event.on] ?? status
        reason =
          event.error !== undefined || event.cause !== undefined ? describeCause((event.error ?? event.cause)!) : reason
        if (terminal.has(status)) endedAt = at
        return
      case "StageTransitioned": {
        const stack = stackOf(event.stack)
        if (stack !== undefined && event.stage === "deployment" && event.on === "started") stack.since = at
        return
      }
      case "StackPlanned": {
        const stack = stackOf(event.stack)
        if (stack !== undefined) stack.unchanged = event.plan.action === "none"
        return
      }
      case "CheckpointRecorded": {
        const stack = stackOf(event.stack)
        if (stack !== undefined) stack.first = event.checkpoint.release === null
        return
      }
      case "StepStarted": {
        if (event.operation !== "watch" || event.stage === undefined) return
        const { label, stack: name } = partsOf(event.step)
        const stack = stackOf(name)
        if (stack === undefined) return
        const round: Round = {
          stack: stack.spec.name,
          stage: event.stage,
          label,
          weight: weightOf(label),
          startedAt: at,
          looks: [],
          end: "cut",
          endedAt: null,
          reason: "",
          answer: null
        }
        stack.rounds.push(round)
        steps.set(event.step, round)
        return
      }
      case "VerdictReached": {
        const round = stackOf(event.verdict.stack)?.rounds.findLast(({ label }) => label === event.verdict.step)
        round?.looks.push({ verdict: event.verdict, runner })
        return
      }
      case "StepFinished": {
        const round = steps.get(event.step)
        if (round !== undefined) return close(round, at, event.exit)
        const asked = steps.get(event.step.replace(/^ask\//, "watch/"))
        if (asked !== undefined) asked.answer = (event.exit as unknown as Receipt).value?.answer ?? null
        return
      }
    }
  }
  for (const { at, event } of events) read(at, event)
  return { request, requestedAt: first.at, stacks, status, endedAt, reason }
}
