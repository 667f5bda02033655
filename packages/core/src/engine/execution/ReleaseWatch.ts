/**
 * Watches a release: the bake of a strategy's step, judged by the stack's gate.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Comparison from "../../analysis/Comparison.ts"
import * as Gate from "../../analysis/Gate.ts"
import * as EventId from "../../domain/EventId.ts"
import { CauseInfo, causeInfo, errorInfo, type ParamsOf } from "../../domain/errors/index.ts"
import type { StageName } from "../../domain/Machines.ts"
import type { Release } from "../../domain/Release.ts"
import type { ApprovalSpec, StackSpec } from "../../domain/Spec.ts"
import { type Measured, VerdictKind } from "../../domain/Verdict.ts"
import type { Provider, StackRef } from "../../spi/Provider.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import { steadyTime } from "../../internal/steadyTime.ts"
import * as ReleaseComparison from "./ReleaseComparison.ts"
import { requestApproval } from "./Approval.ts"
import { measuredHealth } from "./ObservedRelease.ts"
import {
  callSpan,
  concerns,
  ExecutionContext,
  providerOf,
  refOf,
  renewing,
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

const undecided: ApprovalSpec = { expiresIn: Duration.hours(1), otherwise: "abort" }

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
      approval: undecided,
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
  // Evidence may need longer than the bake: the same time again, and at least two rounds of consecutive passes. A
  // runner that takes over in the middle has to gather its own.
  const begunAt = Math.max(startedAt, yield* Clock.currentTimeMillis)
  const time = yield* steadyTime(begunAt)
  const giveUpAt = Math.max(startedAt + bakeMs, begunAt) + Math.max(bakeMs, 2 * gate.consecutivePasses * interval)
  const comparing = yield* comparingOf(watched, provider, ref, startedAt)
  // A canary needs samples; if samples are optional, missing ones are mentioned and do not fail it.
  const missing = watched.samples === "required" ? "counted" : "said"

  const watching = Effect.gen(function* () {
    let passes = 0
    while (true) {
      yield* Effect.sleep(gate.interval)
      const now = yield* time
      const { judgement: alone, measured } = yield* measure(provider, ref, watched, Duration.millis(now - since))
      const phase = now >= giveUpAt ? "last" : now - startedAt >= bakeMs ? "over" : "baking"
      const { counts, items } = yield* comparing(now, phase)
      const judgement = Comparison.join(alone, items, { missing })
      yield* journal.record(EventId.verdict(stack, watched.label, now), {
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
      if (judgement.verdict === "fail") {
        return yield* new StepFailed({
          why: "gate",
          info: errorInfo("gate_failed", {
            stack,
            step: watched.label,
            version: watched.release.version,
            findings: judgement.findings
          })
        })
      }
      passes = judgement.verdict === "pass" ? passes + 1 : 0
      if (passes >= gate.consecutivePasses && now - startedAt >= bakeMs) return judgement
      if (now >= giveUpAt)
        return judgement.verdict === "pass" ? { ...judgement, verdict: "inconclusive" as const } : judgement
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
  { metrics }: Provider,
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

const measure = Effect.fnUntraced(function* (
  provider: Provider,
  ref: StackRef,
  watched: WatchedRelease,
  elapsed: Duration.Duration
): Effect.fn.Return<{ readonly judgement: Gate.Judgement; readonly measured?: Measured }, never, ExecutionContext> {
  const { gate } = watched.stack
  const measured: Effect.Effect<Measured, ProviderError> =
    provider.metrics === undefined
      ? Effect.map(provider.observe(ref), (observed) => ({
          requests: 0,
          errors: 0,
          latency: null,
          ...measuredHealth(observed, watched.release.id)
        }))
      : Effect.map(
          provider.metrics.measure(ref, { releaseId: watched.release.id, window: gate.errorWindow }),
          ({ errors, healthy, latency, requests }) => ({
            requests,
            errors,
            latency: latency === null ? null : { mean: latency.mean, p95: latency.p95 },
            healthy
          })
        )
  return yield* Effect.match(renewing(callSpan("measure")(measured)), {
    onFailure: (error) => ({ judgement: Gate.unmeasured(error.message) }),
    onSuccess: (values) => ({
      judgement: Gate.judge(gate, values, { watched: elapsed, samples: watched.samples }),
      measured: values
    })
  })
})
