/**
 * Performs the rollout of one stack: brings in the candidate and shifts traffic to it, in the steps of its strategy.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import { causeInfo, errorInfo } from "../../domain/errors/index.ts"
import type { Percent } from "../../domain/Ids.ts"
import type { StackPlan } from "../../domain/Release.ts"
import type { CanaryStep, StackSpec } from "../../domain/Spec.ts"
import { type Health, Observation } from "../../spi/Provider.ts"
import { requestApproval } from "./Approval.ts"
import { carriedShare } from "./CarriedTraffic.ts"
import { healthOf, outputsOf, shareOf } from "./ObservedRelease.ts"
import { watchRelease } from "./ReleaseWatch.ts"
import { requireWayBackOf } from "./WayBackCheck.ts"
import {
  ExecutionContext,
  mutationOf,
  observing,
  providerOf,
  refOf,
  stacks,
  step,
  StepFailed,
  type StepServices,
  transitionStack,
  transitionStage,
  within
} from "../step/index.ts"

/**
 * Deploys one stack: from its plan to all traffic on the candidate. If other stacks depend on it, it ends with the proof
 * that it carries them. The stable release stays, without traffic, until validation is over; only `rolling` removes its
 * capacity on the way.
 */
export const deployStack = Effect.fnUntraced(function* (
  stack: StackSpec,
  plan: StackPlan
): Effect.fn.Return<void, StepFailed, StepServices> {
  const { journal } = yield* ExecutionContext
  const { name } = stack
  yield* transitionStage("deployment", "started", { stack: name })
  yield* transitionStack(name, "deploy_started", { spec: stack })
  yield* journal.record(EventId.checkpoint(name), {
    _tag: "CheckpointRecorded",
    stack: name,
    checkpoint: plan.checkpoint
  })
  const proved = yield* byStrategy(stack, plan)
  if (!proved && (yield* hasDependents(stack))) yield* prove(stack, plan)
  yield* transitionStage("deployment", "succeeded", { stack: name })
  yield* transitionStack(name, "deploy_completed", { release: plan.candidate })
})

const hasDependents = ({ name }: StackSpec) =>
  Effect.map(stacks, (all) => all.some(({ dependsOn }) => dependsOn.includes(name)))

/** Judges the candidate with all traffic, before any stack that depends on it starts. */
const prove = (stack: StackSpec, { candidate }: StackPlan) =>
  watchRelease({
    stack,
    stage: "deployment",
    label: "proof",
    release: candidate,
    weight: 100,
    bake: Duration.zero,
    samples: "if_any"
  })

/** Returns whether the candidate was judged with all traffic already. */
const byStrategy = Effect.fnUntraced(function* (
  stack: StackSpec,
  plan: StackPlan
): Effect.fn.Return<boolean, StepFailed, StepServices> {
  const { strategy } = stack
  const look = (label: string, weight: number, bake: Duration.Duration, samples: "required" | "if_any") =>
    Duration.isZero(bake)
      ? Effect.void
      : watchRelease({ stack, stage: "deployment", label, release: plan.candidate, weight, bake, samples })

  // Without anything to compare with or to fall back on, a first release takes all traffic at once; so does a stable
  // one that is only restarted.
  const before = plan.checkpoint.release
  const type = before === null || before.id === plan.candidate.id ? "all_at_once" : strategy.type
  switch (type) {
    case "all_at_once":
      yield* bringIn(stack, plan, 100)
      yield* shift(stack, plan, 100)
      return false
    case "rolling":
      if (strategy.type !== "rolling") return false
      for (let batch = 1; batch <= strategy.batches; batch++) {
        const percent = Math.round((100 * batch) / strategy.batches)
        yield* bringIn(stack, plan, percent)
        yield* shift(stack, plan, percent)
        yield* look(`rolling ${percent}%`, percent, strategy.bake, "if_any")
        if (percent < 100) yield* retire(stack, plan, 100 - percent, "deployment")
      }
      return !Duration.isZero(strategy.bake)
    case "blue_green":
      if (strategy.type !== "blue_green") return false
      yield* bringIn(stack, plan, 100)
      if (strategy.approval !== undefined) {
        yield* requestApproval({
          name: `ask/${stack.name}/switch`,
          stack,
          stage: "deployment",
          question: causeInfo("switch_ready", {
            version: plan.candidate.version,
            before: plan.checkpoint.release?.version
          }),
          approval: strategy.approval,
          retry: false
        })
      }
      yield* shift(stack, plan, 100)
      yield* look("blue_green", 100, strategy.bake, "if_any")
      return !Duration.isZero(strategy.bake)
    case "canary":
      if (strategy.type !== "canary") return false
      yield* bringIn(stack, plan, 100)
      for (const { approval, bake, weight } of upTo100(strategy.steps)) {
        const label = `canary ${weight}%`
        yield* shift(stack, plan, weight)
        yield* look(label, weight, bake, "required")
        if (approval !== undefined) {
          yield* requestApproval({
            name: `ask/${stack.name}/${label}/approval`,
            stack,
            stage: "deployment",
            question: causeInfo("canary_ready", { version: plan.candidate.version, weight }),
            approval,
            retry: false
          })
        }
      }
      return !Duration.isZero(upTo100(strategy.steps).at(-1)!.bake)
  }
})

const upTo100 = (steps: ReadonlyArray<CanaryStep>): ReadonlyArray<CanaryStep> =>
  steps.at(-1)?.weight === 100 ? steps : [...steps, { weight: 100, bake: Duration.zero }]

/** One step of the rollout, within the timeout of its stage. `work` gets the name of the step. */
const rolloutStep = (
  rollout: {
    readonly stack: StackSpec
    readonly stage: "deployment" | "validation"
    readonly operation: "stage" | "shift" | "retire"
    readonly percent: Percent
  },
  work: (name: string) => Effect.Effect<Observation, StepFailed, ExecutionContext>
): Effect.Effect<Observation, StepFailed, StepServices> => {
  const { operation, percent, stack, stage } = rollout
  const name = `${operation}/${stack.name}/${percent}`
  const about = { name, operation, stage, stack: stack.name, success: Observation }
  return within(stack, stage, step({ ...about, execute: () => work(name) }))
}

const bringIn = Effect.fnUntraced(function* (
  stack: StackSpec,
  plan: StackPlan,
  capacityPercent: Percent
): Effect.fn.Return<void, StepFailed, StepServices> {
  const { journal } = yield* ExecutionContext
  const provider = yield* providerOf(stack)
  const observed = yield* rolloutStep(
    { stack, stage: "deployment", operation: "stage", percent: capacityPercent },
    (name) =>
      Effect.gen(function* () {
        const ref = yield* refOf(stack)
        // Staging is the shift.
        if (provider.traffic === undefined) yield* requireWayBackOf(stack, ref, plan)
        return yield* observing(provider.stage(ref, { plan, capacityPercent }, yield* mutationOf(stack, name)))
      })
  )
  yield* journal.record(EventId.outputs(stack.name, capacityPercent), {
    _tag: "OutputsRecorded",
    stack: stack.name,
    ...outputsOf(observed)
  })
})

const shift = Effect.fnUntraced(function* (
  stack: StackSpec,
  plan: StackPlan,
  percent: Percent
): Effect.fn.Return<void, StepFailed, StepServices> {
  const { journal } = yield* ExecutionContext
  const { traffic } = yield* providerOf(stack)
  if (traffic === undefined) return
  const releaseId = plan.candidate.id
  const { traffic: shares } = yield* rolloutStep({ stack, stage: "deployment", operation: "shift", percent }, (name) =>
    Effect.gen(function* () {
      const ref = yield* refOf(stack)
      const { stacks } = journal.state()
      const first = stacks.find((one) => one.name === stack.name)?.candidateTraffic === 0
      if (first && percent > 0) yield* requireWayBackOf(stack, ref, plan)
      const observed = yield* observing(traffic.shift(ref, { releaseId, percent }, yield* mutationOf(stack, name)))
      const share = shareOf(observed, releaseId)
      if (Math.abs(share - percent) <= 1) return observed
      return yield* new StepFailed({
        why: "failed",
        info: errorInfo("traffic_not_effective", { stack: stack.name, asked: percent, observed: share })
      })
    })
  )
  yield* journal.record(EventId.traffic(stack.name, percent), {
    _tag: "TrafficObserved",
    stack: stack.name,
    shares,
    candidate: percent
  })
})

/** Enough instances are healthy, and at least one, however low the gate's percentage is; or the release is ready. */
const carries = ({ healthy, total }: Health, needed: Percent): boolean => healthy > 0 && 100 * healthy >= needed * total

/**
 * Removes old capacity, down to `capacityPercent`: only after the observed traffic and health show that the candidate
 * carries what the old release gives up. Its health must satisfy the gate.
 */
export const retire = Effect.fnUntraced(function* (
  stack: StackSpec,
  plan: StackPlan,
  capacityPercent: Percent,
  stage: "deployment" | "validation"
): Effect.fn.Return<void, StepFailed, StepServices> {
  const provider = yield* providerOf(stack)
  const { traffic } = provider
  if (traffic === undefined) return
  const keep = plan.candidate.id
  yield* rolloutStep({ stack, stage, operation: "retire", percent: capacityPercent }, (name) =>
    Effect.gen(function* () {
      const ref = yield* refOf(stack)
      const observed = yield* observing(provider.observe(ref), "observe")
      const health = healthOf(observed, keep)
      const needed = stack.gate.minHealthyPercentage
      const least = 100 - capacityPercent - 1
      const share = yield* carriedShare(stack, ref, plan, { observed, needed: least, step: name })
      if (share < least || !carries(health, needed)) {
        return yield* new StepFailed({
          why: "failed",
          info: errorInfo("teardown_refused", { stack: stack.name, share, ...health, needed })
        })
      }
      return yield* observing(traffic.retire(ref, { keep, capacityPercent }, yield* mutationOf(stack, name)))
    })
  )
})
