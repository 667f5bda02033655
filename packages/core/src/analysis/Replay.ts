/**
 * HistoryReplay: the policy of a past execution, or another gate and strategy, applied to its measurements. Would it
 * have been stopped, when, and why?
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import type { StoredEvent } from "../domain/Event.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../domain/Ids.ts"
import type { ExecutionKind, ExecutionStatus } from "../domain/Machines.ts"
import { GateSpec, type StackSpec, type StrategySpec } from "../domain/Spec.ts"
import { describeCauses } from "../text/index.ts"
import { type RecordedStack, type Recorded, recordOf, type Round } from "./ReplayRecord.ts"
import { type Carried, type PolicyStep, type Rejudged, rejudge } from "./ReplayRound.ts"

export type { Rejudged } from "./ReplayRound.ts"

/**
 * Changes of a gate: the given keys replace the recorded ones, also within `compare`; `compare: null` removes the
 * comparison.
 */
export type GateChange = Partial<Omit<typeof GateSpec.Encoded, "compare">> & {
  readonly compare?: (typeof GateSpec.Encoded)["compare"] | null
}

/**
 * The policy to use instead of the recorded one; `stacks` limits it to these.
 */
export interface Change {
  readonly gate?: GateChange
  readonly strategy?: StrategySpec
  readonly stacks?: ReadonlyArray<string>
}

/**
 * How a rollout ended.
 *
 * *Details*: `passes` its policy let it through · `aborts` a gate failed it · `asks` the evidence was insufficient, and
 * a person has to decide · `unknown` from `at` on the needed measurements do not exist · `not_judged` there was nothing
 * to judge. `at` is in milliseconds since the epoch, `afterMs` since the deployment of the stack began, `weight` the
 * candidate's percentage of the traffic.
 */
export interface Ending {
  readonly kind: "passes" | "aborts" | "asks" | "unknown" | "not_judged"
  readonly at: number | null
  readonly afterMs: number | null
  readonly stack: StackName | null
  readonly step: string | null
  readonly weight: number | null
  readonly reason: string
}

/**
 * One stack: how it ended then, how it ends now, and each look that led there.
 *
 * *Details*: `savedMs` is how much sooner its steps passed; `notes` lists what was reused from the original, such as
 * people's answers.
 */
export interface StackReplay {
  readonly name: StackName
  readonly recorded: Ending
  readonly replayed: Ending
  readonly changed: boolean
  readonly savedMs: number
  readonly looks: ReadonlyArray<Rejudged>
  readonly notes: ReadonlyArray<string>
}

/** One execution, replayed. `changed` tells whether it would have ended differently. */
export interface Replayed {
  readonly correlationId: CorrelationId
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
  readonly kind: ExecutionKind
  readonly version: string | null
  readonly requestedAt: number
  readonly status: ExecutionStatus
  readonly recorded: Ending
  readonly replayed: Ending
  readonly changed: boolean
  readonly stacks: ReadonlyArray<StackReplay>
}

const encodeGate = Schema.encodeSync(GateSpec)
const decodeGate = Schema.decodeUnknownSync(GateSpec)

/**
 * A gate with some keys replaced. The change must have been validated.
 */
export const changeGate = (gate: GateSpec, { compare, ...change }: GateChange): GateSpec => {
  const { compare: before, ...encoded } = encodeGate(gate)
  return decodeGate({
    ...encoded,
    ...change,
    ...(compare === null || (compare === undefined && before === undefined)
      ? {}
      : { compare: { ...before, ...compare } })
  })
}

/** The steps that a strategy watches, the proof before dependents if there was one, and validation after them. */
const policyOf = (
  strategy: StrategySpec,
  { first, rounds }: RecordedStack,
  kind: ExecutionKind
): ReadonlyArray<PolicyStep> => {
  const step = (
    label: string,
    weight: number,
    bake: Duration.Duration,
    samples: PolicyStep["samples"]
  ): PolicyStep => ({
    label,
    stage: "deployment",
    weight,
    bakeMs: Duration.toMillis(bake),
    samples
  })
  const validation: PolicyStep = { label: "validation", stage: "validation", weight: 100, bakeMs: 0, samples: "if_any" }
  const steps = (): ReadonlyArray<PolicyStep> => {
    if (first || kind === "rollback") return []
    switch (strategy.type) {
      case "all_at_once":
        return []
      case "rolling":
        return Array.from({ length: strategy.batches }, (_, index) =>
          Math.round((100 * (index + 1)) / strategy.batches)
        ).map((percent) => step(`rolling ${percent}%`, percent, strategy.bake, "if_any"))
      case "blue_green":
        return [step("blue_green", 100, strategy.bake, "if_any")]
      case "canary":
        return strategy.steps.map(({ bake, weight }) => step(`canary ${weight}%`, weight, bake, "required"))
    }
  }
  const proof = rounds.some(({ label }) => label === "proof") ? [step("proof", 100, Duration.zero, "if_any")] : []
  return [...steps().filter(({ bakeMs }) => bakeMs > 0), ...proof, validation]
}

/** The keys that determine how measurements were made, and cannot be changed afterwards. */
const fixed = (before: GateSpec, after: GateSpec): string | undefined => {
  const changed = (["errorWindow", "interval"] as const).find(
    (key) => Duration.toMillis(before[key]) !== Duration.toMillis(after[key])
  )
  return changed === undefined
    ? undefined
    : `measurements were made with ${changed} ${Duration.format(before[changed])}, which cannot be changed afterwards`
}

const endingOf = (
  { since, spec }: RecordedStack,
  kind: Ending["kind"],
  reason: string,
  at: number | null,
  step?: { readonly label: string; readonly weight: number }
): Ending => ({
  kind,
  at,
  afterMs: at === null || since === null ? null : at - since,
  stack: spec.name,
  step: step?.label ?? null,
  weight: step?.weight ?? null,
  reason
})

/** Why there are no more measurements. */
const over = (record: Recorded): string =>
  record.endedAt === null
    ? `the execution is ${record.status.replace("_", " ")}: nothing more was measured yet`
    : `the execution ended then (${record.status.replace("_", " ")}): nothing was measured after it`

const nothingToJudge = (record: Recorded, stack: RecordedStack): Ending =>
  endingOf(
    stack,
    "not_judged",
    stack.unchanged
      ? "nothing was changed"
      : record.request.kind.startsWith("destroy")
        ? "taking away is not judged"
        : `nothing was measured${record.reason === null ? "" : `: ${record.reason}`}`,
    null
  )

const recordedEnding = (record: Recorded, stack: RecordedStack): Ending => {
  const stopped = stack.rounds.find(
    ({ answer, end }) =>
      end === "failed" || end === "cut" || (end === "asked" && (answer === null || answer === "abort"))
  )
  if (stopped !== undefined) {
    const kind = stopped.end === "failed" ? "aborts" : stopped.end === "asked" ? "asks" : "unknown"
    const last = stopped.looks.at(-1)?.verdict
    const reason =
      kind === "unknown"
        ? stopped.reason || (record.reason ?? over(record))
        : last === undefined
          ? stopped.reason
          : describeCauses(last.findings)
    return endingOf(stack, kind, reason, last?.at ?? stopped.startedAt, stopped)
  }
  const last = stack.rounds.at(-1)
  if (last === undefined) return nothingToJudge(record, stack)
  return last.stage === "validation"
    ? endingOf(stack, "passes", reasonOf(last), last.looks.at(-1)?.verdict.at ?? last.endedAt, last)
    : endingOf(stack, "unknown", over(record), last.looks.at(-1)?.verdict.at ?? last.startedAt, last)
}

const reasonOf = ({ looks, reason }: Round): string => {
  const verdict = looks.at(-1)?.verdict
  return verdict === undefined ? reason : describeCauses(verdict.findings)
}

interface Walk {
  readonly ending: Ending
  readonly looks: ReadonlyArray<Rejudged>
  readonly notes: ReadonlyArray<string>
  readonly savedMs: number
}

const walk = (record: Recorded, stack: RecordedStack, spec: StackSpec): Walk => {
  const looks: Array<Rejudged> = []
  const notes: Array<string> = []
  let savedMs = 0
  const end = (ending: Ending): Walk => ({ ending, looks, notes, savedMs })
  if (stack.rounds.length === 0) return end(nothingToJudge(record, stack))
  const cannot = fixed(stack.spec.gate, spec.gate)
  const begin = stack.rounds[0]!
  if (cannot !== undefined) return end(endingOf(stack, "unknown", cannot, begin.startedAt, begin))

  const carried: Carried = new Map()
  let last: { readonly at: number; readonly reason: string; readonly step: PolicyStep } | undefined
  for (const step of policyOf(spec.strategy, stack, record.request.kind)) {
    const rounds = stack.rounds.filter(({ stage, weight }) => stage === step.stage && weight === step.weight)
    const passed = passStep(rounds, step)
    if (passed !== undefined) return end(passed)
  }
  return end(endingOf(stack, "passes", last?.reason ?? "nothing was judged", last?.at ?? null, last?.step))

  /** Undefined if the step passed. */
  function passStep(rounds: ReadonlyArray<Round>, step: PolicyStep): Ending | undefined {
    for (const round of rounds) {
      const outcome = rejudge(stack, round, step, spec.gate, carried)
      looks.push(...outcome.looks)
      last = { at: outcome.at, reason: outcome.reason, step }
      const unknown = (reason: string) => endingOf(stack, "unknown", reason, outcome.at, step)
      switch (outcome.kind) {
        case "passed":
          savedMs += Math.max(0, (round.looks.at(-1)?.verdict.at ?? outcome.at) - outcome.at)
          return undefined
        case "failed":
          return endingOf(stack, "aborts", outcome.reason, outcome.at, step)
        case "unknown":
          return unknown(outcome.reason)
        case "asked": {
          if (round.end !== "asked" || round.answer === "abort" || round.answer === null) {
            return endingOf(stack, "asks", outcome.reason, outcome.at, step)
          }
          notes.push(
            `${round.label}: asked, a person said ${round.answer === "retry" ? "to watch it again" : "to go on"}`
          )
          if (round.answer === "continue") return undefined
          continue
        }
        case "exhausted":
          switch (round.end) {
            case "promoted":
              notes.push(`${round.label}: ${round.reason}`)
              return undefined
            case "passed":
              return unknown(`${step.label} was over then, and more would be asked for: ${outcome.reason}`)
            case "failed":
              return unknown(`its own gate stopped it then: ${round.reason}`)
            case "asked":
              return unknown("a person was asked then, and nothing more was measured")
            case "cut":
              return unknown(round.reason || over(record))
          }
      }
    }
    const before = last
    if (rounds.length > 0) return endingOf(stack, "unknown", over(record), before?.at ?? null, step)
    const stopped = recordedEnding(record, stack)
    const why =
      stopped.kind === "passes"
        ? `nothing was measured at ${step.weight} %`
        : `nothing was measured at ${step.weight} % after ${stopped.step ?? "that"}: ${over(record)}`
    return endingOf(stack, "unknown", why, before?.at ?? stack.since, step)
  }
}

const sameEnd = (left: Ending, right: Ending): boolean =>
  left.kind === right.kind && ((left.kind !== "aborts" && left.kind !== "asks") || left.at === right.at)

const rank: ReadonlyArray<Ending["kind"]> = ["aborts", "asks", "unknown", "passes", "not_judged"]

/** The first thing that happens to any stack happens to the execution. */
const overall = (endings: ReadonlyArray<Ending>): Ending => {
  const none: Ending = {
    kind: "not_judged",
    at: null,
    afterMs: null,
    stack: null,
    step: null,
    weight: null,
    reason: "no stack was judged"
  }
  const judged = endings.filter(({ kind }) => kind !== "not_judged")
  const stops = judged.filter(({ kind }) => kind !== "passes")
  // A stack that was cut short by another stack's failure waits for nothing.
  const aborts = stops.filter(({ kind }) => kind === "aborts")
  const firstAbort = Math.min(...aborts.map(({ at }) => at ?? Infinity))
  const early = stops.filter(({ at, kind }) => kind === "aborts" || at === null || at < firstAbort)
  const byTime = (left: Ending, right: Ending) =>
    (left.at ?? 0) - (right.at ?? 0) || rank.indexOf(left.kind) - rank.indexOf(right.kind)
  const passes = judged.filter(({ kind }) => kind === "passes").sort((left, right) => (right.at ?? 0) - (left.at ?? 0))
  return early.toSorted(byTime)[0] ?? passes[0] ?? endings[0] ?? none
}

/**
 * Replays one execution from its log, which begins with its request.
 *
 * *Details*: pure. Without a change it reproduces the recorded verdicts. It uses the original measurements, made at the
 * weights and for as long as the original policy allowed. If another policy would have needed others, the answer is
 * `unknown`, never a guess. Undefined if there is no log of an execution.
 */
export const replay = (events: ReadonlyArray<StoredEvent>, change: Change = {}): Replayed | undefined => {
  const record = recordOf(events)
  if (record === undefined) return undefined
  const { request } = record
  const stacks = record.stacks.map((stack): StackReplay => {
    const concerned = change.stacks === undefined || change.stacks.includes(stack.spec.name)
    const spec: StackSpec = {
      ...stack.spec,
      ...(concerned && change.gate !== undefined ? { gate: changeGate(stack.spec.gate, change.gate) } : {}),
      ...(concerned && change.strategy !== undefined ? { strategy: change.strategy } : {})
    }
    const recorded = recordedEnding(record, stack)
    const { ending, ...walked } = walk(record, stack, spec)
    return { name: stack.spec.name, recorded, replayed: ending, changed: !sameEnd(recorded, ending), ...walked }
  })
  const recorded = overall(stacks.map((stack) => stack.recorded))
  const replayed = overall(stacks.map((stack) => stack.replayed))
  return {
    correlationId: request.correlationId,
    deploymentId: request.deploymentId,
    environment: request.environment,
    kind: request.kind,
    version: request.version ?? null,
    requestedAt: record.requestedAt,
    status: record.status,
    recorded,
    replayed,
    changed: !sameEnd(recorded, replayed),
    stacks
  }
}
