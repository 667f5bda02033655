/**
 * Watches a release: the bake of a strategy's step, judged by the stack's gate.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Comparison from "../../analysis/Comparison.ts"
import * as Gate from "../../analysis/Gate.ts"
import * as MetricWindow from "../../analysis/MetricWindow.ts"
import * as EventId from "../../domain/EventId.ts"
import { CauseInfo, causeInfo, errorInfo, type ParamsOf } from "../../domain/errors/index.ts"
import type { StageName } from "../../domain/Machines.ts"
import type { Release } from "../../domain/Release.ts"
import type { ApprovalSpec, StackSpec } from "../../domain/Spec.ts"
import { type ComparedCounts, VerdictKind } from "../../domain/Verdict.ts"
import type { MetricSource } from "../../spi/MetricSource.ts"
import type { StackRef } from "../../spi/Provider.ts"
import { steadyTime } from "../../internal/steadyTime.ts"
import { metricSourceOf } from "../../internal/metricSourceOf.ts"
import { grainOf } from "../../internal/grainOf.ts"
import * as ReleaseComparison from "./ReleaseComparison.ts"
import * as ReleaseMeasure from "./ReleaseMeasure.ts"
import { requestApproval } from "./Approval.ts"
import {
  concerns,
  ExecutionContext,
  providerOf,
  refOf,
  step,
  StepFailed,
  type StepServices,
  within
} from "../step/index.ts"

/**
 * What to watch, and for how long.
 *
 * *Details*: `label` names it in verdicts, such as `canary 10%`.
 */
export interface WatchedRelease {
  readonly stack: StackSpec
  readonly stage: StageName
  readonly label: string
  readonly release: Release
  readonly weight: number
  readonly bake: Duration.Duration
  readonly samples: "required" | "if_any"
}

/** How a bake ended, as its receipt keeps it. */
const BakeOutcome = Schema.Struct({
  verdict: VerdictKind,
  findings: Schema.Array(CauseInfo),
  promotedBy: Schema.optionalKey(Schema.String)
})
type BakeOutcome = typeof BakeOutcome.Type

const asked: ApprovalSpec = { expiresIn: Duration.hours(1), otherwise: "abort" }

/**
 * Watches a release until its gate passes. A failure fails at once; insufficient evidence asks a person, who may
 * continue (`approve`), watch again (`retry`) or roll back (`abort`).
 *
 * *Errors*: `gate` if the gate failed, `timeout`, `aborted`.
 */
export const watchRelease = (watched: WatchedRelease): Effect.Effect<void, StepFailed, StepServices> =>
  round(watched, 1)

const round = (watched: WatchedRelease, n: number): Effect.Effect<void, StepFailed, StepServices> =>
  Effect.gen(function* () {
    const name = `${watched.stack.name}/${watched.label}/${n}`
    const { findings, verdict } = yield* within(
      watched.stack,
      watched.stage,
      step({
        name: `watch/${name}`,
        operation: "watch",
        stage: watched.stage,
        stack: watched.stack.name,
        success: BakeOutcome,
        execute: (startedAt) => bake(watched, startedAt)
      })
    )
    if (verdict === "pass") return
    const answer = yield* requestApproval({
      name: `ask/${name}`,
      stack: watched.stack,
      stage: watched.stage,
      question: causeInfo("verdict_undecided", { step: watched.label, verdict, findings }),
      approval: asked,
      retry: true
    })
    if (answer === "retry") yield* round(watched, n + 1)
  })

const bake = Effect.fnUntraced(function* (
  watched: WatchedRelease,
  startedAt: number
): Effect.fn.Return<BakeOutcome, StepFailed, ExecutionContext> {
  const { control, journal } = yield* ExecutionContext
  const { gate, name: stack } = watched.stack
  const provider = yield* providerOf(watched.stack)
  const ref = yield* refOf(watched.stack)
  const interval = Duration.toMillis(gate.interval)
  const bakeMs = Duration.toMillis(watched.bake)
  const since =
    journal
      .state()
      .stacks.find(({ name }) => name === stack)
      ?.stages.find(({ name }) => name === "deployment")?.startedAt ?? startedAt
  const source = yield* metricSourceOf(watched.stack, provider)
  const grain = grainOf(source)
  // A runner that takes over in the middle has to gather its own evidence.
  const begunAt = Math.max(startedAt, yield* Clock.currentTimeMillis)
  const time = yield* steadyTime(begunAt)
  const giveUpAt =
    Math.max(startedAt + bakeMs, begunAt) +
    Math.max(bakeMs, MetricWindow.patience(grain, gate.consecutivePasses, interval))
  // The whole bake is judged: data that are late are waited for.
  const bakeEnds = MetricWindow.alignDown(startedAt + bakeMs, grain)
  const comparing = yield* comparingOf(watched, source, ref, startedAt)
  const looks = ReleaseMeasure.make({
    ...watched,
    provider,
    source,
    ref,
    // After a rollback, the alarms that caused it still ring for a while.
    alarms: journal.request.kind !== "rollback"
  })
  // A canary needs samples; if samples are optional, missing ones are mentioned and do not fail it.
  const missing = watched.samples === "required" ? "counted" : "said"

  const record = (
    now: number,
    { judgement, measured }: ReleaseMeasure.ReleaseLook,
    counts: ComparedCounts | undefined
  ): Effect.Effect<void> =>
    journal.record(EventId.verdict(stack, watched.label, now), {
      _tag: "VerdictReached",
      verdict: {
        ...judgement,
        stack,
        step: watched.label,
        releaseId: watched.release.id,
        weight: watched.weight,
        at: now,
        ...(measured === undefined ? {} : { measured }),
        ...(counts === undefined ? {} : { compared: counts })
      }
    })

  const rejected = (findings: ReadonlyArray<CauseInfo>) =>
    new StepFailed({
      why: "gate",
      info: errorInfo("gate_failed", { stack, step: watched.label, version: watched.release.version, findings })
    })

  const undecided = (judgement: Gate.Judgement): BakeOutcome =>
    judgement.verdict === "pass" ? { ...judgement, verdict: "inconclusive" } : judgement

  const watching = Effect.gen(function* () {
    let passes = 0
    let taken = 0
    let counted = MetricWindow.firstCounted(grain, startedAt)
    let missed: number | undefined
    let latest: Gate.Judgement | undefined
    while (true) {
      yield* Effect.sleep(gate.interval)
      const now = yield* time
      const last = ++taken >= MetricWindow.leastLooks(gate.consecutivePasses) && now >= giveUpAt
      const elapsed = Duration.millis(now - since)
      const length = Duration.toMillis(gate.errorWindow)
      const window = MetricWindow.windowAt(grain, { now, length, notBefore: startedAt })
      const due = MetricWindow.advances(grain, counted, window.to)
      const look = yield* (due ? looks.full : looks.healthOnly)(window, elapsed)
      const until = due ? look.until : counted
      if (until === undefined || MetricWindow.advances(grain, counted, until)) {
        const to = until ?? window.to
        const over = to >= bakeEnds
        const { counts, items } = yield* comparing(to, last ? "last" : over ? "over" : "baking")
        const judgement = Comparison.join(look.judgement, items, { missing })
        yield* record(now, { ...look, judgement }, counts)
        if (judgement.verdict === "fail") return yield* rejected(judgement.findings)
        // A period that could not be measured breaks the row, unless it is measured before the next one is due.
        if (until === undefined) missed ??= window.to
        else {
          const broken = missed !== undefined && missed < until
          passes = judgement.verdict !== "pass" ? 0 : broken ? 1 : passes + 1
          missed = undefined
          counted = until
        }
        if (until !== undefined && passes >= gate.consecutivePasses && over) return judgement
        if (last) return undecided(judgement)
        latest = judgement
      } else if (look.judgement.verdict === "fail") {
        yield* record(now, look, undefined)
        return yield* rejected(look.judgement.findings)
      } else if (last) {
        if (!due && latest !== undefined) return undecided(latest)
        const judgement = Gate.behind(until, Math.max(bakeEnds, counted + grain.resolution))
        yield* record(now, { judgement }, undefined)
        return judgement
      }
    }
  })

  const promoted = Effect.map(
    control.waitFor((given) => given.find((command) => command.command === "promote" && concerns(command, stack))),
    ({ by }) => ({ verdict: "pass" as const, findings: [causeInfo("promoted", { by })], promotedBy: by })
  )
  return yield* Effect.raceFirst(watching, promoted)
})

const notComparing: ReleaseComparison.CompareReleases = () => Effect.succeed({ items: [] })

const notComparable = (why: ParamsOf<"not_compared">): ReleaseComparison.CompareReleases => {
  const items = [Comparison.without("no_data", causeInfo("not_compared", why))]
  return () => Effect.succeed({ items })
}

/** The gate requests the comparison, which is made while the previous release still has traffic. */
const comparingOf = (
  watched: WatchedRelease,
  metrics: MetricSource | undefined,
  ref: StackRef,
  startedAt: number
): Effect.Effect<ReleaseComparison.CompareReleases, never, ExecutionContext> =>
  Effect.map(ExecutionContext, ({ journal }) => {
    const { release: candidate, stack, stage, weight } = watched
    const spec = stack.gate.compare
    const { stacks, verdicts } = journal.state()
    const stable = stacks.find(({ name }) => name === stack.name)?.checkpoint?.release
    if (spec === undefined || stage !== "deployment" || stable === null || stable === undefined) return notComparing
    if (metrics === undefined) return notComparable({ why: "no_metrics", provider: stack.provider })
    if (weight >= 100) return notComparable({ why: "no_traffic" })
    const before = ReleaseComparison.earlier(verdicts, { stack: stack.name, releaseId: candidate.id, startedAt })
    return ReleaseComparison.make({ spec, metrics, ref, candidate, stable, startedAt, before })
  })
