/**
 * Gates on what CloudWatch has counted by the minute and on its alarms, with the whole engine on a clock that is turned.
 */
import { assert, describe, it } from "@effect/vitest"
import { type Config, Configuration } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, type Execution, type Provider, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { describeCauses } from "@signalbox/core/text"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import { TestClock } from "effect/testing"
import { config, requestOf } from "../../../core/test/engine/support.ts"
import type { LiveService } from "../../src/testing/index.ts"
import { type Platform, platform, prober, propertiesOf, providerOf, sharesOf, sourceOf } from "./platform.ts"
import { loadedClockOf } from "./time.ts"

/** A provider that says whether one of its operations is in progress: meanwhile, it turns the time of the simulator itself. */
const watched = (provider: Provider) => {
  let running = 0
  const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      running += 1
      return effect
    }).pipe(Effect.ensuring(Effect.sync(() => void (running -= 1))))
  const { alarms, metrics, traffic } = provider
  return {
    busy: () => running > 0,
    provider: {
      ...provider,
      plan: (...given) => counted(provider.plan(...given)),
      observe: (...given) => counted(provider.observe(...given)),
      stage: (...given) => counted(provider.stage(...given)),
      rollback: (...given) => counted(provider.rollback(...given)),
      canGoBack: (...given) => counted(provider.canGoBack!(...given)),
      traffic: {
        shift: (...given) => counted(traffic!.shift(...given)),
        retire: (...given) => counted(traffic!.retire(...given))
      },
      alarms: { states: (...given) => counted(alarms!.states(...given)) },
      metrics: { ...metrics!, measure: (...given) => counted(metrics!.measure(...given)) }
    } satisfies Provider
  }
}

type Stack = Config["stacks"][number]

const configured = (it: Platform, { gate = {}, strategy }: Pick<Stack, "gate" | "strategy">) =>
  config({
    // An operation may turn the time by more than a lease lasts.
    leaseTtl: "1 day",
    environments: { production: { region: it.simulator.region } },
    stacks: [
      {
        name: "api",
        provider: "aws:alb",
        strategy: strategy ?? { type: "canary", steps: [{ weight: 50, bake: "1 minute" }] },
        gate: {
          gracePeriod: "0 millis",
          interval: "10 seconds",
          consecutivePasses: 2,
          minSamples: 20,
          errorWindow: "2 minutes",
          maxErrorCount: 5,
          ...gate
        },
        properties: { ...propertiesOf(it), artifact: "s3://shop-builds/api-${version}.zip" }
      }
    ]
  })

interface Options extends Pick<Stack, "gate" | "strategy"> {
  /** In each simulated second. */
  readonly requests?: number
  /** Is done in each simulated second. */
  readonly meanwhile?: (it: Platform) => Promise<unknown>
}

/** Deploys v2 to a service that runs v1, until that has ended or asks. */
const deploying = (prepare: (it: Platform) => unknown, options: Options = {}) =>
  Effect.gen(function* () {
    const it = yield* Effect.acquireRelease(
      Effect.promise(() => platform()),
      ({ simulator }) => Effect.promise(simulator.close)
    )
    yield* Effect.promise(async () => prepare(it))
    yield* TestClock.setTime(it.simulator.now())
    const { requests = 4 } = options
    const clock = loadedClockOf(it.simulator, async () => (requests > 0 ? sharesOf(it, requests) : undefined))
    const { busy, provider } = watched(providerOf(it, clock))
    const manifest = Result.getOrThrow(
      Configuration.check(configured(it, options), new Map([[provider.kind, provider]]))
    )
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    const state = yield* Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const id = CorrelationId.make("first")
      yield* box.executions.submit(requestOf(manifest, deploymentId, id, { version: "v2" }))
      const fiber = yield* Effect.forkChild(box.executions.run(id))
      return yield* turned(it, { ...options, busy, fiber, state: store.execution(id) })
    }).pipe(Effect.provide(layer))
    return { it, state }
  })

/** Turns the clocks of the engine and of the simulator together. */
const turned = <E>(
  it: Platform,
  options: Options & {
    readonly busy: () => boolean
    readonly fiber: Fiber.Fiber<unknown, unknown>
    readonly state: Effect.Effect<Execution.ExecutionState | null | undefined, E>
  }
) =>
  Effect.gen(function* () {
    const { simulator } = it
    const { meanwhile, requests = 4 } = options
    const ends = simulator.now() + 3 * 3_600_000
    while (simulator.now() < ends) {
      const state = yield* options.state
      if (options.fiber.pollUnsafe() !== undefined || (state?.questions.length ?? 0) > 0) return state!
      yield* Effect.promise(async () => {
        for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve))
        if (options.busy()) return
        // What the engine begins at once has begun.
        await new Promise((resolve) => setTimeout(resolve, 2))
        if (options.busy()) return
        if (requests > 0) await sharesOf(it, requests)
        await meanwhile?.(it)
        await simulator.advance(5000)
      })
      yield* TestClock.adjust(simulator.now() - (yield* Clock.currentTimeMillis))
    }
    return yield* Effect.die(new Error("it neither ended nor asked"))
  })

/** How CloudWatch names a load balancer. */
const suffixOf = (loadBalancer: string): string => loadBalancer.split(":loadbalancer/")[1]!

const findingsOf = ({ verdicts }: Execution.ExecutionState) => verdicts.at(-1)!.findings

const served = (it: Platform) => Effect.promise(() => sharesOf(it, 20))

describe("a gate on the metrics of CloudWatch", { concurrent: true }, () => {
  it.effect("passes a release whose requests succeed", () =>
    Effect.gen(function* () {
      const { it, state } = yield* deploying(() => {})
      assert.strictEqual(state.status, "completed", JSON.stringify(state.error))
      assert.deepStrictEqual(yield* served(it), { v2: 100 })
    })
  )

  it.effect("fails the release whose requests fail, and goes back", () =>
    Effect.gen(function* () {
      const { it, state } = yield* deploying(({ simulator }) =>
        simulator.push(sourceOf("v2"), { body: "v2", errorRate: 0.5 })
      )
      assert.strictEqual(state.status, "rolled_back")
      assert.deepStrictEqual([state.error?.code, state.error?.params["step"]], ["gate_failed", "canary 50%"])
      assert.match(describeCauses(findingsOf(state)), /errors in \d+ requests/)
      assert.deepStrictEqual(yield* served(it), { v1: 100 })
    })
  )

  it.effect("does not pass as long as the data are late", () =>
    Effect.gen(function* () {
      const { state } = yield* deploying(({ simulator }) => simulator.faults.metricsLate(86_400_000))
      assert.strictEqual(state.questions.length, 1)
      assert.notStrictEqual(state.verdicts.at(-1)?.verdict, "pass")
    })
  )

  it.effect("does not pass a canary without any request", () =>
    Effect.gen(function* () {
      const { state } = yield* deploying(() => {}, { requests: 0 })
      assert.strictEqual(state.questions.length, 1, JSON.stringify([state.status, state.error, state.verdicts]))
      assert.deepStrictEqual([...new Set(state.verdicts.map(({ verdict }) => verdict))], ["no_data"])
    })
  )

  /** The alarms that docs/aws-alb.md names, as the simulator judges them by its own metrics. */
  const alarms = [
    {
      name: "10 errors in one of 3 minutes",
      broken: { requests: 500, checks: 200 },
      of: ({ loadBalancer }: LiveService) => ({
        MetricName: "HTTPCode_Target_5XX_Count",
        Dimensions: [{ Name: "LoadBalancer", Value: suffixOf(loadBalancer) }],
        Statistic: "Sum",
        EvaluationPeriods: 3,
        DatapointsToAlarm: 1,
        Threshold: 10,
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        TreatMissingData: "notBreaching"
      })
    },
    {
      name: "too few healthy hosts for 2 minutes",
      broken: { requests: 200, checks: 503 },
      of: ({ green, loadBalancer }: LiveService) => ({
        MetricName: "HealthyHostCount",
        Dimensions: [
          { Name: "LoadBalancer", Value: suffixOf(loadBalancer) },
          { Name: "TargetGroup", Value: green.targetGroup.split(":").at(-1)! }
        ],
        Statistic: "Minimum",
        EvaluationPeriods: 2,
        Threshold: 2,
        ComparisonOperator: "LessThanThreshold",
        TreatMissingData: "notBreaching"
      })
    }
  ] as const

  for (const { broken, name, of } of alarms) {
    it.effect(`goes back within 10 seconds after an alarm can be read: ${name}`, () =>
      Effect.gen(function* () {
        let isBroken = false
        let rang: number | undefined
        let back: number | undefined
        const { it, state } = yield* deploying(
          ({ service, simulator }) => {
            simulator.push(sourceOf("v2"), {
              answer: (request, response) => {
                const { checks, requests } = isBroken ? broken : { checks: 200, requests: 200 }
                response.writeHead(request.headers["user-agent"] === prober ? checks : requests).end("v2")
              }
            })
            return simulator.edit("PutMetricAlarm", {
              AlarmName: "api",
              Namespace: "AWS/ApplicationELB",
              Period: 60,
              ...of(service)
            })
          },
          {
            // Only the alarm says no.
            gate: { alarms: ["api"], interval: "5 seconds", minHealthyPercentage: 0, maxErrorCount: 1_000_000 },
            strategy: { type: "canary", steps: [{ weight: 50, bake: "30 minutes" }] },
            meanwhile: async ({ simulator }) => {
              const { writes } = simulator.ledger
              const weighed = writes.filter(({ operation }) => operation === "ModifyListener")
              isBroken ||= weighed.length === 2
              const { MetricAlarms } = (await simulator.edit("DescribeAlarms", { StateValue: "ALARM" })) as {
                readonly MetricAlarms: ReadonlyArray<unknown>
              }
              if (weighed.length >= 2 && MetricAlarms.length > 0) rang ??= simulator.now()
              if (rang !== undefined && weighed.length > 2) back ??= weighed[2]!.at
            }
          }
        )
        assert.strictEqual(state.status, "rolled_back", JSON.stringify(state.error))
        assert.match(describeCauses(findingsOf(state)), /alarm/)
        assert.isAtMost(back! - rang!, 10_000)
        assert.deepStrictEqual(yield* served(it), { v1: 100 })
      })
    )
  }
})
