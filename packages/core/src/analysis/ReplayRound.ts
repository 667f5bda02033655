/** Judges one recorded round again: what a step of another gate or strategy would have decided on its measurements. */
import * as Duration from "effect/Duration"
import type { GateSpec } from "../domain/Spec.ts"
import type { ComparedCounts, Verdict, VerdictKind } from "../domain/Verdict.ts"
import { describeCauses } from "../text/index.ts"
import * as Comparison from "./Comparison.ts"
import * as ErrorRatio from "./ErrorRatio.ts"
import * as Gate from "./Gate.ts"
import * as MetricWindow from "./MetricWindow.ts"
import type { Look, RecordedStack, Round } from "./ReplayRecord.ts"

/** The requirements of a step of the policy. */
export interface PolicyStep {
  readonly label: string
  readonly stage: "deployment" | "validation"
  readonly weight: number
  readonly bakeMs: number
  readonly samples: "required" | "if_any"
}

/** One look, judged again. `replayed` is `unknown` if the needed measurements do not exist. */
export interface Rejudged {
  readonly at: number
  readonly step: string
  readonly weight: number
  readonly recorded: VerdictKind
  readonly replayed: VerdictKind | "unknown"
  readonly reason: string
}

/** How a round ends in the replay. */
export interface RoundOutcome {
  readonly kind: "passed" | "failed" | "asked" | "exhausted" | "unknown"
  readonly at: number
  readonly reason: string
  readonly looks: ReadonlyArray<Rejudged>
}

type Judged = { readonly judgement: Gate.Judgement; readonly unknown?: string }

/** Evidence of other steps, by step: what `Comparison` carries from one to the next. */
export type Carried = Map<string, ComparedCounts | undefined>

const nothing: ErrorRatio.Pair = { candidate: { requests: 0, errors: 0 }, stable: { requests: 0, errors: 0 } }

const less = (now: ErrorRatio.Count, before: ErrorRatio.Count): ErrorRatio.Count => ({
  requests: now.requests - before.requests,
  errors: now.errors - before.errors
})

const alone = (
  gate: GateSpec,
  { evidence, measured, ...verdict }: Verdict,
  watched: number,
  samples: PolicyStep["samples"]
): Judged => {
  if (measured !== undefined) {
    return { judgement: Gate.judge(gate, measured, { watched: Duration.millis(watched), samples }) }
  }
  if (!evidence.some(({ metric }) => metric === "errors")) {
    const judgement = Gate.unmeasured("")
    return { judgement: verdict.verdict === "error" ? { ...judgement, findings: verdict.findings } : judgement }
  }
  return { judgement: Gate.unmeasured(""), unknown: notKept }
}

/** From versions that kept only verdicts. */
export const notKept = "recorded by a version that did not keep what was measured"

/** Compares again, look by look, as one runner did. */
const comparer = (stack: RecordedStack, round: Round, step: PolicyStep, gate: GateSpec, carried: Carried) => {
  const spec = gate.compare
  const before = [...carried.values()].filter((pair) => pair !== undefined && pair.since < round.startedAt)
  let ratio = before.reduce<ErrorRatio.ErrorRatio>(
    (sum, pair) => ErrorRatio.add(sum, pair!),
    ErrorRatio.start(spec?.maxErrorRatio ?? 1)
  )
  let seen = nothing
  let latencies: Comparison.Compared | undefined

  return (
    verdict: Verdict,
    phase: "baking" | "over"
  ): { readonly items: ReadonlyArray<Comparison.Compared>; readonly unknown?: string } => {
    const { compared } = verdict
    if (compared !== undefined) {
      ratio = ErrorRatio.add(ratio, {
        candidate: less(compared.candidate, seen.candidate),
        stable: less(compared.stable, seen.stable)
      })
      seen = compared
    }
    if (spec === undefined || step.stage !== "deployment" || stack.first) return { items: [] }
    const other = verdict.evidence.find(
      ({ metric, verdict: kind }) =>
        metric === "error_rate_ratio" && (kind === "error" || (kind === "no_data" && compared === undefined))
    )
    if (other !== undefined)
      return { items: [{ evidence: other, missing: other.verdict === "error" ? null : "means" }] }
    if (compared === undefined) {
      return step.weight >= 100
        ? { items: [] }
        : { items: [], unknown: "the stable release was not measured, as its gate did not compare" }
    }
    if (phase === "over" && compared.latencies !== undefined) {
      latencies = Comparison.judgeLatencies(spec, compared.latencies)
    }
    const items = [Comparison.judgeErrors(spec, ratio), ...(latencies === undefined ? [] : [latencies])]
    return phase === "over" && latencies === undefined
      ? { items, unknown: "response times were compared at the end of the step only, which was later" }
      : { items }
  }
}

const reasonOf = ({ findings }: Gate.Judgement): string => describeCauses(findings)

/** Judges the looks of a round, one after the other, until they decide or there are no more. */
export const rejudge = (
  stack: RecordedStack,
  round: Round,
  step: PolicyStep,
  gate: GateSpec,
  carried: Carried
): RoundOutcome => {
  const interval = Duration.toMillis(gate.interval)
  const { bakeMs } = step
  const since = stack.since ?? round.startedAt
  const looks: Array<Rejudged> = []
  let passes = 0
  let doubt: string | undefined
  let runner: number | undefined
  let giveUpAt = Infinity
  let taken = 0
  let compare = comparer(stack, round, step, gate, carried)

  for (const [index, look] of round.looks.entries()) {
    const { at } = look.verdict
    if (look.runner !== runner) {
      // A runner takes its first look one interval after it began.
      const begunAt = at - interval
      giveUpAt = Math.max(round.startedAt + bakeMs, begunAt) + Math.max(bakeMs, 2 * gate.consecutivePasses * interval)
      if (runner !== undefined) compare = comparer(stack, round, step, gate, carried)
      runner = look.runner
      passes = 0
      taken = 0
    }
    taken++
    // Not every look is recorded; after the last one that is, the runner gave up.
    const enough = taken >= MetricWindow.leastLooks(gate.consecutivePasses) || index === round.looks.length - 1
    const isGivenUp = enough && at >= giveUpAt
    const over = at - round.startedAt >= bakeMs
    const own = alone(gate, look.verdict, at - since, step.samples)
    const other = compare(look.verdict, over || isGivenUp ? "over" : "baking")
    // The latest comes last, as in the state that a runner starts from.
    carried.delete(round.label)
    carried.set(round.label, look.verdict.compared)
    const judgement = Comparison.join(own.judgement, other.items, {
      missing: step.samples === "required" ? "counted" : "said"
    })
    // The worst verdict wins: unknown parts could not improve a failure.
    const unknown =
      judgement.verdict === "fail" && own.unknown === undefined ? undefined : (own.unknown ?? other.unknown)
    looks.push(rejudged(look, unknown === undefined ? judgement : undefined, unknown ?? reasonOf(judgement)))
    const ended = (kind: RoundOutcome["kind"], reason: string): RoundOutcome => ({ kind, at, reason, looks })
    if (own.unknown !== undefined) return ended("unknown", own.unknown)
    if (judgement.verdict === "fail") return ended("failed", reasonOf(judgement))
    // While it bakes, a later look may still fail it. After that, an unknown look might have been a pass.
    doubt ??= unknown
    if (doubt !== undefined && (over || isGivenUp)) return ended("unknown", doubt)
    passes = judgement.verdict === "pass" ? passes + 1 : 0
    if (passes >= gate.consecutivePasses && over) return ended("passed", reasonOf(judgement))
    if (isGivenUp) return ended("asked", reasonOf(judgement))
  }
  return {
    kind: doubt === undefined ? "exhausted" : "unknown",
    at: looks.at(-1)?.at ?? round.startedAt,
    reason: doubt ?? looks.at(-1)?.reason ?? "nothing was measured",
    looks
  }
}

const rejudged = ({ verdict }: Look, judgement: Gate.Judgement | undefined, reason: string): Rejudged => ({
  at: verdict.at,
  step: verdict.step,
  weight: verdict.weight,
  recorded: verdict.verdict,
  replayed: judgement?.verdict ?? "unknown",
  reason
})
