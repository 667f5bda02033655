import { describeCause, describeCauses } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Configuration } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import { CompareSpec, DeploymentStore, type EventOf, type MetricSource, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import type { SimulatedProvider } from "@signalbox/core/testing"
import { Duration, Effect, Fiber, Layer, Result, Schema } from "effect"
import * as ReleaseComparison from "../../../src/engine/execution/ReleaseComparison.ts"
import {
  carryOut,
  config,
  deployed,
  gate,
  manifestOf,
  pass,
  production,
  requestOf,
  versions,
  world
} from "../support.ts"

const compared = (changes: Record<string, unknown> = {}, compare: object | null = {}) =>
  config({
    stacks: [
      {
        name: "web",
        provider: "simulated",
        // Absolute limits that none of these candidates approaches.
        gate: { ...gate, maxErrorCount: 100_000, ...(compare === null ? {} : { compare }) },
        strategy: {
          type: "canary",
          steps: [
            { weight: 10, bake: "30 seconds" },
            { weight: 50, bake: "30 seconds" }
          ]
        },
        ...changes
      }
    ]
  })

const busy = { requestsPerSecond: 200 }

/** The simulated cloud with other eyes. */
const measuredBy = (
  { provider }: SimulatedProvider.SimulatedProvider,
  change: (measure: MetricSource["measure"]) => MetricSource["measure"]
) =>
  Signalbox.layer.pipe(
    Layer.provideMerge(layerMemory),
    Layer.provideMerge(
      Providers.layer([{ ...provider, metrics: { ...provider.metrics!, measure: change(provider.metrics!.measure) } }])
    )
  )

const verdictsOf = (stream: string) =>
  Effect.gen(function* () {
    const events = yield* (yield* DeploymentStore).events({ stream, tags: ["VerdictReached"] })
    return events.map(({ event }) => (event as EventOf<"VerdictReached">).verdict)
  })

const second = (
  cloud: SimulatedProvider.SimulatedProvider,
  value = compared(),
  options: { readonly limit?: number; readonly tick?: number } = {}
) =>
  Effect.gen(function* () {
    const manifest = manifestOf(value, cloud)
    const deploymentId = yield* deployed(manifest)
    return yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }), options)
  })

const issuesOf = (compare: unknown) => {
  const { cloud } = world()
  const value = config({ stacks: [{ name: "web", provider: "simulated", gate: { compare } as never }] })
  const checked = Configuration.check(value, new Map([[cloud.provider.kind, cloud.provider]]))
  return Result.isFailure(checked) ? checked.failure.issues.map(({ message, path }) => `${path} ${message}`) : []
}

describe("the configuration of a comparison", () => {
  it("may be empty, and is checked key by key", () => {
    assert.deepStrictEqual(issuesOf({}), [])
    assert.deepStrictEqual(issuesOf({ alpha: 2, maxErrorRation: 2, minSamples: 0 }), [
      "stacks[0].gate.compare.maxErrorRation is not a known key",
      "stacks[0].gate.compare.alpha expected a number from 0.0001 to 0.2, got the number 2",
      "stacks[0].gate.compare.minSamples expected a whole number of at least 1, got the number 0"
    ])
    assert.deepStrictEqual(issuesOf(true), [
      "stacks[0].gate.compare expected an object with how to compare with the stable release, got true"
    ])
  })

  it("is merged into the manifest's in an environment", () => {
    const { cloud } = world()
    const manifest = manifestOf(
      config({
        environments: { production: { stacks: { web: { gate: { compare: { alpha: 0.01 } } } } } },
        stacks: [{ name: "web", provider: "simulated", gate: { compare: { minSamples: 500 } } }]
      }),
      cloud
    )
    const [stack] = Effect.runSync(Configuration.resolve(manifest, production)).stacks
    assert.deepInclude(stack!.gate.compare, { alpha: 0.01, minSamples: 500, tolerance: 0.25 })
  })
})

describe("a candidate that is compared with the stable release", () => {
  it.effect("rolls back early with more errors, though within the absolute limits", () => {
    const { cloud, layer } = world(busy)
    cloud.script("web", "1.0.0", { errorRate: 0.01 })
    cloud.script("web", "2.0.0", { errorRate: 0.06 })
    return Effect.gen(function* () {
      const state = yield* second(cloud)
      assert.strictEqual(state.status, "rolled_back")
      assert.deepStrictEqual(versions(state), ["web 1.0.0"])
      assert.match(
        describeCause(state.error!),
        /^web: canary 10% failed its gate: \d+ errors in \d+ requests, against \d+ errors in \d+ requests of the stable release: [56][.\d]* times its error rate, at least [\d.]+ times with 95 % confidence, 1 allowed$/
      )
      const last = (yield* verdictsOf("second")).findLast(({ step }) => step === "canary 10%")!
      const evidence = last.evidence.find(({ metric }) => metric === "error_rate_ratio")!
      assert.strictEqual(evidence.verdict, "fail")
      assert.isAbove(evidence.interval![0], 1)
      // Long before the bake of 30 seconds was over.
      assert.isBelow(last.at - last.compared!.since, 25_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("passes with the same errors without a comparison", () => {
    const { cloud, layer } = world(busy)
    cloud.script("web", "1.0.0", { errorRate: 0.01 })
    cloud.script("web", "2.0.0", { errorRate: 0.06 })
    return Effect.gen(function* () {
      const state = yield* second(cloud, compared({}, null))
      assert.strictEqual(state.status, "completed")
      const verdicts = yield* verdictsOf("second")
      assert.isTrue(verdicts.every(({ compared, evidence }) => compared === undefined && evidence.length <= 4))
      assert.isTrue(verdicts.every(({ measured }) => measured !== undefined))
    }).pipe(Effect.provide(layer))
  })

  it.effect("passes if it is as good, with the evidence of the comparison in its verdict", () => {
    const { cloud, layer } = world(busy)
    cloud.script("web", "*", { errorRate: 0.01 })
    return Effect.gen(function* () {
      const state = yield* second(cloud)
      assert.strictEqual(state.status, "completed")
      assert.deepStrictEqual(versions(state), ["web 2.0.0"])
      const canary = state.verdicts.find(({ step }) => step === "canary 50%")!
      const metrics = canary.evidence.map(({ metric, verdict }) => `${metric} ${verdict}`)
      assert.includeMembers(metrics, ["error_rate_ratio pass", "latency_shift pass"])
      // The test goes on over both steps: 30 s of 10 % and 30 s of 50 % of 200 requests a second, on two releases.
      const ratio = canary.evidence.find(({ metric }) => metric === "error_rate_ratio")!
      assert.closeTo(ratio.n, 12_000, 600)
      assert.closeTo(ratio.value!, 1, 0.1)
      // The inputs are kept: this step's own counts, both sides alike.
      assert.closeTo(canary.compared!.candidate.requests, 3_000, 200)
      assert.closeTo(canary.compared!.stable.requests, 3_000, 200)
      assert.isAbove(canary.measured!.requests, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("rolls back at the end of the step if it is slower, though within the absolute limits", () => {
    const { cloud, layer } = world(busy)
    cloud.script("web", "2.0.0", { latencyMillis: 32 })
    return Effect.gen(function* () {
      const state = yield* second(cloud)
      assert.strictEqual(state.status, "rolled_back")
      assert.match(
        describeCause(state.error!),
        /^web: canary 10% failed its gate: responses 1[12][.\d]* ms slower than the stable/
      )
      const verdicts = (yield* verdictsOf("second")).filter(({ step }) => step === "canary 10%")
      const judged = verdicts.filter(({ evidence }) => evidence.some(({ metric }) => metric === "latency_shift"))
      assert.strictEqual(judged.length, 1)
      assert.isAtLeast(judged[0]!.at - judged[0]!.compared!.since, 30_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not pass if the stable release has no requests: it asks, and says why", () => {
    const { cloud } = world(busy)
    // The candidate is measured, the stable release is not.
    const layer = measuredBy(
      cloud,
      (measure) => (ref, options) =>
        Effect.map(measure(ref, options), (measured) =>
          options.releaseId.startsWith("1.0.0")
            ? { until: measured.until, requests: 0, errors: 0, latency: null, healthy: 100 }
            : measured
        )
    )
    return Effect.gen(function* () {
      const state = yield* second(cloud, compared(), { limit: 7_200, tick: 5_000 })
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(state.error?.code, "approval_expired")
      const [verdict] = state.verdicts
      assert.strictEqual(`${verdict!.step} ${verdict!.verdict}`, "canary 10% no_data")
      assert.include(
        describeCauses(verdict!.findings),
        "the stable release had no request: its errors cannot be compared"
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("passes by its errors if the provider has no single response times, and says so", () => {
    const { cloud } = world(busy)
    const layer = measuredBy(
      cloud,
      (measure) => (ref, options) => Effect.map(measure(ref, options), ({ samples: _samples, ...measured }) => measured)
    )
    return Effect.gen(function* () {
      const state = yield* second(cloud)
      assert.strictEqual(state.status, "completed")
      const verdict = state.verdicts.find(({ step }) => step === "canary 50%")!
      assert.include(describeCauses(verdict.findings), "the metric source has no individual response times to compare")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is reported as not compared after all traffic has moved, and passes by its absolute limits", () => {
    const { cloud, layer } = world(busy)
    return Effect.gen(function* () {
      const state = yield* second(cloud, compared({ strategy: { type: "blue_green", bake: "10 seconds" } }))
      assert.strictEqual(state.status, "completed")
      const verdict = state.verdicts.find(({ step }) => step === "blue_green")!
      assert.strictEqual(verdict.verdict, "pass")
      assert.include(
        describeCauses(verdict.findings),
        "not compared with the stable release: it has no traffic any more"
      )
      assert.include(
        verdict.evidence.map(({ verdict }) => verdict),
        "no_data"
      )
      assert.isFalse(state.verdicts.some(({ evidence, step }) => step === "validation" && evidence.length > 4))
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not pass if the comparison could not be measured", () => {
    const { cloud, layer } = world(busy)
    return Effect.gen(function* () {
      const manifest = manifestOf(compared(), cloud)
      const deploymentId = yield* deployed(manifest)
      // One of the three measurements of each look fails from now on, until it asks.
      cloud.fail({
        operation: "measure",
        stack: "web",
        times: 1_000,
        reason: { _tag: "Unavailable", message: "metrics are down" }
      })
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }), {
        limit: 7_200,
        tick: 5_000
      })
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(state.verdicts[0]?.verdict, "error")
      assert.include(describeCauses(state.verdicts[0]!.findings), "could not be compared with the stable release: ")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is judged over the whole step by a runner that takes over in the middle", () => {
    const { cloud, layer } = world(busy)
    cloud.script("web", "*", { errorRate: 0.01 })
    return Effect.gen(function* () {
      const manifest = manifestOf(compared(), cloud)
      const deploymentId = yield* deployed(manifest)
      const box = yield* Signalbox
      const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
      yield* box.executions.submit(request)
      const first = yield* Effect.forkChild(box.executions.run(request.correlationId))
      yield* pass(first, { until: Effect.map(verdictsOf("second"), (verdicts) => verdicts.length >= 10) })
      yield* Fiber.interrupt(first)
      const state = yield* Effect.flatMap(Effect.forkChild(box.executions.run(request.correlationId)), (fiber) =>
        Effect.andThen(pass(fiber), Fiber.join(fiber))
      )
      assert.strictEqual(state.status, "completed")
      const verdicts = (yield* verdictsOf("second")).filter(({ step }) => step === "canary 10%")
      assert.strictEqual(new Set(verdicts.map(({ compared }) => compared!.since)).size, 1)
      for (const { at, compared } of verdicts) {
        const seconds = Duration.toSeconds(Duration.millis(at - compared!.since))
        assert.closeTo(compared!.candidate.requests, 20 * seconds, 2)
        assert.closeTo(compared!.stable.requests, 180 * seconds, 2)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("counts every request once in steps longer than a provider can look back", () => {
    const { cloud } = world({ requestsPerSecond: 20 })
    const forgetful = measuredBy(
      cloud,
      (measure) => (ref, options) =>
        measure(ref, { ...options, from: Math.max(options.from, options.to - 15 * 60_000) })
    )
    return Effect.gen(function* () {
      const state = yield* second(
        cloud,
        compared({
          timeout: "3 hours",
          gate: { ...gate, interval: "1 minute", compare: {} },
          strategy: { type: "canary", steps: [{ weight: 50, bake: "50 minutes" }] }
        }),
        { limit: 7_200, tick: 10_000 }
      )
      assert.strictEqual(state.status, "completed")
      const { at, compared: counts } = state.verdicts.find(({ step }) => step === "canary 50%")!
      assert.closeTo(counts!.candidate.requests, (10 * (at - counts!.since)) / 1_000, 20)
    }).pipe(Effect.provide(forgetful))
  })
})

describe("response times", () => {
  const release = (id: string) => ({ id, version: id, configDigest: "" })
  const samples = Array.from({ length: 200 }, (_, index) => 20 + index / 10)

  /** Looks at a candidate whose responses take longer by so many milliseconds, look by look. */
  const looks = (slower: ReadonlyArray<readonly [phase: ReleaseComparison.BakePhase, millis: number]>) => {
    let by = 0
    const look = ReleaseComparison.make({
      spec: Schema.decodeUnknownSync(CompareSpec)({}),
      metrics: {
        resolution: Duration.zero,
        lag: Duration.zero,
        measure: (_, { releaseId, to }) =>
          Effect.succeed({
            until: to,
            requests: 200,
            errors: 0,
            latency: null,
            healthy: 100,
            samples: samples.map((value) => (releaseId === "new" ? value + by : value))
          })
      },
      ref: { deploymentId: "D1" as never, environment: production, stack: "web" as never, properties: {} },
      candidate: release("new"),
      stable: release("old"),
      startedAt: 0,
      before: []
    })
    return Effect.forEach(slower, ([phase, millis], index) => {
      by = millis
      return Effect.map(
        look(1_000 * (index + 1), phase),
        ({ items }) => items.find(({ evidence }) => evidence.metric === "latency_shift")?.evidence.verdict ?? "-"
      )
    })
  }

  // A quarter of the median of 30 ms is 7.5 ms; the interval reaches 1.3 ms to either side.
  it.effect("are judged once, when the bake is over", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* looks([
          ["baking", 30],
          ["over", 0],
          ["over", 30],
          ["last", 30]
        ]),
        ["-", "pass", "pass", "pass"]
      )
    })
  )

  it.effect("are judged once more at the last look if they were ambiguous", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* looks([
          ["over", 8],
          ["over", 30],
          ["last", 30]
        ]),
        ["inconclusive", "inconclusive", "fail"]
      )
    })
  )
})
