/**
 * Gates over a source with periods of 60 seconds that are complete 120 seconds later.
 *
 * `ROLLOUTS=2000 SHOW_FIGURES=1 vitest run packages/core/test/engine/execution/CoarseMetrics.test.ts` runs the figures of
 * docs/gates.md; without it, the same with fewer rollouts.
 */
import { assert, describe, it } from "@effect/vitest"
import { Comparison, ErrorRatio } from "@signalbox/core/analysis"
import { type Config } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import {
  CompareSpec,
  DeploymentStore,
  type EventOf,
  type Measurement,
  type Provider,
  Providers
} from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { describeCauses } from "@signalbox/core/text"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Layer, Schema } from "effect"
import { TestClock } from "effect/testing"
import { failures, seeded } from "../../analysis/chance.ts"
import { begin, carryOut, config, deployed, manifestOf, pass, requestOf } from "../support.ts"

const minute = 60_000
const resolution = minute
const lag = 2 * minute
const interval = 10_000
const bakeMinutes = 2
const passes = 3

const up = (at: number) => Math.ceil(at / resolution) * resolution
const down = (at: number) => Math.floor(at / resolution) * resolution

const gate = {
  gracePeriod: "0 millis",
  interval: "10 seconds",
  consecutivePasses: passes,
  minSamples: 20,
  errorWindow: "5 minutes",
  maxErrorCount: 1_000_000
} as const

const rollout = (changes: Partial<NonNullable<Config["stacks"][number]["gate"]>> = {}): Config =>
  config({
    stacks: [
      {
        name: "web",
        provider: "simulated",
        timeout: "3 hours",
        gate: { ...gate, ...changes },
        strategy: {
          type: "canary",
          steps: [
            { weight: 10, bake: `${bakeMinutes} minutes` },
            { weight: 50, bake: `${bakeMinutes} minutes` }
          ]
        }
      }
    ]
  })

const cloudOf = (options: SimulatedProvider.SimulatedOptions = {}) =>
  SimulatedProvider.make({
    requestsPerSecond: 100,
    metrics: { resolutionMillis: resolution, lagMillis: lag, samples: false },
    ...options
  })

const layerOf = (provider: Provider) =>
  Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))

const eventsOf = <T extends "VerdictReached" | "TrafficObserved">(stream: string, tag: T) =>
  Effect.gen(function* () {
    const events = yield* (yield* DeploymentStore).events({ stream, tags: [tag] })
    return events.map(({ at, event }) => ({ at, event: event as EventOf<T> }))
  })

const recorded = (cloud: SimulatedProvider.SimulatedProvider) => {
  const calls: Array<{ readonly from: number; readonly to: number; readonly releaseId: string }> = []
  const source = cloud.provider.metrics!
  const provider: Provider = {
    ...cloud.provider,
    metrics: {
      ...source,
      measure: (ref, options) => {
        calls.push(options)
        return source.measure(ref, options)
      }
    }
  }
  return { calls, provider }
}

describe("a gate over periods that are complete late", () => {
  it.effect("counts each period once, and passes when enough of them are complete", () => {
    const cloud = cloudOf()
    const { calls, provider } = recorded(cloud)
    return Effect.gen(function* () {
      const manifest = manifestOf(rollout(), cloud)
      const deploymentId = yield* deployed(manifest)
      calls.length = 0
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }), {
        limit: 7_200,
        tick: 1_000
      })
      assert.strictEqual(state.status, "completed", JSON.stringify(state.error))
      const verdicts = (yield* eventsOf("second", "VerdictReached")).map(({ event }) => event.verdict)
      const shifts = yield* eventsOf("second", "TrafficObserved")
      for (const [index, step] of ["canary 10%", "canary 50%"].entries()) {
        const own = verdicts.filter((verdict) => verdict.step === step)
        const untils = own.map(({ measured }) => measured!.until!)
        assert.strictEqual(new Set(untils).size, untils.length, "one verdict for each period")
        const shift = shifts[index]!.at
        assert.strictEqual(own.length, passes)
        assert.strictEqual(untils[0], up(shift) + resolution)
        const last = own.at(-1)!
        assert.isAtLeast(last.at, up(shift) + passes * resolution + lag)
        assert.isAtMost(last.at, up(shift) + passes * resolution + lag + interval)
      }
      // Windows are aligned, complete, and never from before the shift to 10 %.
      assert.isAbove(calls.length, 0)
      for (const { from, to } of calls) {
        assert.strictEqual(from % resolution, 0)
        assert.strictEqual(to % resolution, 0)
        assert.isAtLeast(from, shifts[0]!.at)
      }
    }).pipe(Effect.provide(layerOf(provider)))
  })

  it.effect("judges the whole bake, though its last minutes are complete later", () => {
    const cloud = cloudOf()
    // It goes bad in the last minute of the bake.
    cloud.script("web", "2.0.0", { errorRate: (age) => (age > 9 * minute ? 0.5 : 0) })
    return Effect.gen(function* () {
      const changes = { maxErrorCount: 10 }
      const value = rollout(changes)
      const manifest = manifestOf(
        config({
          stacks: [{ ...value.stacks[0]!, strategy: { type: "canary", steps: [{ weight: 10, bake: "10 minutes" }] } }]
        }),
        cloud
      )
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }), {
        limit: 7_200,
        tick: 5_000
      })
      assert.strictEqual(state.status, "rolled_back")
      assert.deepStrictEqual([state.error?.code, state.error?.params["step"]], ["gate_failed", "canary 10%"])
    }).pipe(Effect.provide(layerOf(cloud.provider)))
  })

  it.effect("asks a person if the periods are never complete, and says up to when they are", () => {
    const cloud = cloudOf()
    const source = cloud.provider.metrics!
    let stuck = Infinity
    const provider: Provider = {
      ...cloud.provider,
      metrics: {
        ...source,
        measure: (ref, options) =>
          Effect.map(source.measure(ref, options), (measured) => ({
            ...measured,
            until: Math.min(measured.until, stuck)
          }))
      }
    }
    return Effect.gen(function* () {
      const manifest = manifestOf(rollout(), cloud)
      const deploymentId = yield* deployed(manifest)
      stuck = 0
      const fiber = yield* begin(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      const store = yield* DeploymentStore
      yield* pass(fiber, {
        until: Effect.map(store.execution("second" as never), (state) => (state?.questions.length ?? 0) > 0),
        limit: 3_600,
        tick: 5_000
      })
      const [verdict] = (yield* eventsOf("second", "VerdictReached")).map(({ event }) => event.verdict)
      assert.strictEqual(verdict?.verdict, "no_data")
      assert.match(
        describeCauses(verdict!.findings),
        /^the measurements are complete only up to .* and are needed up to /
      )
      // It waited for as many periods as passes, and their lag.
      const shift = (yield* eventsOf("second", "TrafficObserved"))[0]!.at
      assert.isAtLeast(verdict!.at - shift, bakeMinutes * minute + passes * resolution + lag)
    }).pipe(Effect.provide(layerOf(provider)))
  })

  it.effect("fails at once if no instance is healthy, between two periods", () => {
    const cloud = cloudOf()
    cloud.script("web", "2.0.0", { healthy: (age) => (age > 25_000 ? 0 : 100) })
    return Effect.gen(function* () {
      const manifest = manifestOf(rollout(), cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }), { limit: 600 })
      assert.strictEqual(state.status, "rolled_back")
      const shift = (yield* eventsOf("second", "TrafficObserved"))[0]!.at
      const [verdict] = (yield* eventsOf("second", "VerdictReached")).map(({ event }) => event.verdict)
      assert.strictEqual(verdict!.verdict, "fail")
      assert.isAtMost(verdict!.at - shift, 40_000)
    }).pipe(Effect.provide(layerOf(cloud.provider)))
  })

  it.effect("measures a period again that could not be measured, before the next one is due", () => {
    const cloud = cloudOf()
    return Effect.gen(function* () {
      const manifest = manifestOf(rollout(), cloud)
      const deploymentId = yield* deployed(manifest)
      const nth = cloud.calls("measure", "web") + 2
      cloud.fail({ operation: "measure", stack: "web", nth, reason: { _tag: "Unavailable", message: "no answer" } })
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }), {
        limit: 7_200,
        tick: 1_000
      })
      assert.strictEqual(state.status, "completed")
      const verdicts = (yield* eventsOf("second", "VerdictReached")).map(({ event }) => event.verdict)
      const own = verdicts.filter(({ step }) => step === "canary 10%")
      assert.deepStrictEqual(
        own.map(({ verdict }) => verdict),
        ["pass", "error", "pass", "pass"]
      )
    }).pipe(Effect.provide(layerOf(cloud.provider)))
  })
})

describe("a source without single response times", () => {
  it.effect("cannot compare them: the plan says so, and the verdict mentions it without failing", () => {
    const cloud = cloudOf()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(rollout({ compare: {} }), cloud)
      const deploymentId = yield* deployed(manifest)
      const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
      const [planned] = yield* box.executions.plan(request)
      assert.deepStrictEqual(
        planned!.plan!.notices!.map(({ code }) => code as string),
        ["response_times_not_compared"]
      )
      const state = yield* carryOut(request, { limit: 7_200, tick: 5_000 })
      assert.strictEqual(state.status, "completed")
      const plans = yield* (yield* DeploymentStore).events({ stream: "second", tags: ["StackPlanned"] })
      assert.deepStrictEqual((plans[0]!.event as EventOf<"StackPlanned">).plan.notices, planned!.plan!.notices)
      const verdicts = (yield* eventsOf("second", "VerdictReached")).map(({ event }) => event.verdict)
      const shift = verdicts.flatMap(({ evidence }) => evidence.filter(({ metric }) => metric === "latency_shift"))
      assert.deepStrictEqual([...new Set(shift.map(({ verdict }) => verdict))], ["no_data"])
    }).pipe(Effect.provide(layerOf(cloud.provider)))
  })

  it.effect("is not asked for response times that it does not measure: the plan says so, and the gate passes", () => {
    const cloud = cloudOf()
    const source = cloud.provider.metrics!
    const provider: Provider = {
      ...cloud.provider,
      metrics: {
        ...source,
        latency: false,
        measure: (ref, options) => Effect.map(source.measure(ref, options), (one) => ({ ...one, latency: null }))
      }
    }
    return Effect.gen(function* () {
      const manifest = manifestOf(rollout(), cloud)
      const deploymentId = yield* deployed(manifest)
      const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
      const [planned] = yield* (yield* Signalbox).executions.plan(request)
      assert.deepStrictEqual(
        planned!.plan!.notices!.map(({ code }) => code as string),
        ["response_times_not_judged"]
      )
      assert.strictEqual((yield* carryOut(request, { limit: 7_200, tick: 5_000 })).status, "completed")
    }).pipe(Effect.provide(layerOf(provider)))
  })

  it.effect("needs no warning if nothing is compared", () => {
    const cloud = cloudOf()
    return Effect.gen(function* () {
      const manifest = manifestOf(rollout(), cloud)
      const deploymentId = yield* deployed(manifest)
      const [planned] = yield* (yield* Signalbox).executions.plan(
        requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
      )
      assert.isUndefined(planned!.plan!.notices)
    }).pipe(Effect.provide(layerOf(cloud.provider)))
  })
})

/** The simulated source, with errors drawn per release and period instead of evenly spread. */
const noisy = (
  cloud: SimulatedProvider.SimulatedProvider,
  random: () => number,
  rateOf: (releaseId: string) => number
) => {
  const source = cloud.provider.metrics!
  const periods = new Map<string, { readonly requests: number; readonly errors: number }>()
  const provider: Provider = {
    ...cloud.provider,
    metrics: {
      ...source,
      measure: (ref, { from, releaseId, to }) =>
        Effect.gen(function* () {
          const whole: Measurement = yield* source.measure(ref, { releaseId, from, to })
          let [requests, errors] = [0, 0]
          for (let at = from; at < whole.until; at += resolution) {
            const key = `${releaseId} ${at}`
            if (!periods.has(key)) {
              const own = yield* source.measure(ref, { releaseId, from: at, to: at + resolution })
              periods.set(key, { requests: own.requests, errors: failures(random, own.requests, rateOf(releaseId)) })
            }
            const drawn = periods.get(key)!
            requests += drawn.requests
            errors += drawn.errors
          }
          return { ...whole, requests, errors }
        })
    }
  }
  return { periods, provider }
}

const compare = Schema.decodeUnknownSync(CompareSpec)({})

interface Watched {
  failed: number
  undecided: number
  completed: number
  /** How long after the evidence against a candidate was complete it was found, in milliseconds. */
  readonly found: Array<number>
  /** How much earlier than the data allow a step passed: never above zero. */
  readonly early: Array<number>
}

/** Rolls out one candidate after another, each with the given error rate against a stable release with 1 %. */
const watch = (rollouts: number, candidate: number, seed: number) => {
  const result: Watched = { failed: 0, undecided: 0, completed: 0, found: [], early: [] }
  const random = seeded(seed)
  const batch = (count: number) => {
    const cloud = cloudOf()
    let stable = ""
    const { periods, provider } = noisy(cloud, random, (id) => (id === stable ? 0.01 : candidate))
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(rollout({ compare: {} }), cloud)
      const deploymentId = yield* deployed(manifest)
      for (let index = 0; index < count; index++) {
        const id = `rollout-${index}`
        // Shifts come at any time within a period.
        yield* TestClock.adjust(Math.floor(random() * 2 * resolution))
        const environment = yield* store.environment(deploymentId, "production" as never)
        stable = environment!.stacks[0]!.release!.id
        const fiber = yield* begin(requestOf(manifest, deploymentId, id, { version: `2.0.${index}` }))
        yield* pass(fiber, {
          until: Effect.map(store.execution(id as never), (state) => (state?.questions.length ?? 0) > 0),
          limit: 7_200,
          tick: interval
        })
        const open = yield* store.execution(id as never)
        if (open!.questions.length > 0) {
          result.undecided++
          const box = yield* Signalbox
          yield* box.executions.command(id as never, { command: "abort", by: "tester" })
          yield* pass(fiber, { limit: 600, tick: interval })
        } else if (open!.status === "completed") result.completed++
        else result.failed++
        const verdicts = (yield* eventsOf(id, "VerdictReached")).map(({ event }) => event.verdict)
        const shifts = yield* eventsOf(id, "TrafficObserved")
        for (const [position, step] of ["canary 10%", "canary 50%"].entries()) {
          const own = verdicts.filter((verdict) => verdict.step === step)
          const shift = shifts[position]?.at
          if (own.length === 0 || shift === undefined) continue
          const last = own.at(-1)!
          const allowed = Math.max(up(shift) + passes * resolution, down(shift + bakeMinutes * minute)) + lag
          if (last.verdict === "pass") result.early.push(allowed - last.at)
          if (last.verdict !== "fail") continue
          // When was the evidence complete? Adds the periods one by one, as they were drawn.
          const from = up(last.compared!.since)
          let ratio = verdicts
            .filter(
              ({ compared, step: other }, at) =>
                other !== step && verdicts[at + 1]?.step !== other && compared !== undefined
            )
            .reduce((sum, { compared }) => ErrorRatio.add(sum, compared!), ErrorRatio.start(1))
          for (let at = from; ; at += resolution) {
            ratio = ErrorRatio.add(ratio, {
              candidate: periods.get(`${last.releaseId} ${at}`)!,
              stable: periods.get(`${stable} ${at}`)!
            })
            if (Comparison.judgeErrors(compare, ratio).evidence.verdict !== "fail") continue
            result.found.push(last.at - (at + resolution + lag))
            break
          }
        }
      }
    }).pipe(Effect.provide(layerOf(provider)))
  }
  return Effect.gen(function* () {
    for (let done = 0; done < rollouts; done += 50) yield* batch(Math.min(50, rollouts - done))
    return result
  })
}

const rollouts = Number(process.env["ROLLOUTS"] ?? 60)
const show = (name: string, { completed, early, failed, found, undecided }: Watched) => {
  if (process.env["SHOW_FIGURES"] === undefined) return
  const latest = found.length === 0 ? "-" : Math.max(...found) / 1_000
  const median = found.toSorted((a, b) => a - b)[Math.floor(found.length / 2)] ?? 0
  console.log(
    `${name}: ${failed} failed, ${undecided} undecided, ${completed} completed; found ${median / 1_000} s (median), ${latest} s (latest) after the evidence was complete; earliest pass ${-Math.max(...early) / 1_000} s after the data allowed it`
  )
}

describe(`${rollouts} rollouts over late periods`, () => {
  it.effect(
    "fail a candidate as good as the stable release no more often than alpha, and pass none early",
    () =>
      Effect.gen(function* () {
        const watched = yield* watch(rollouts, 0.01, 41)
        show("1 % against 1 %", watched)
        // A few rollouts may have one false alarm more than their share.
        assert.isAtMost(watched.failed, Math.max(compare.alpha * rollouts, rollouts < 500 ? 6 : 0))
        assert.isAtMost(Math.max(...watched.early), 0)
        assert.isAbove(watched.completed, 0.8 * rollouts)
      }),
    3_600_000
  )

  it.effect(
    "find a bad candidate within two periods after its evidence is complete",
    () =>
      Effect.gen(function* () {
        const count = Math.ceil(rollouts / 4)
        const watched = yield* watch(count, 0.03, 42)
        show("3 % against 1 %", watched)
        assert.strictEqual(watched.failed, count)
        assert.strictEqual(watched.found.length, count)
        assert.isAtMost(Math.max(...watched.found), 2 * resolution)
      }),
    3_600_000
  )
})
