/**
 * Gates that judge what Cloud Monitoring has counted, with the whole engine on a clock that is turned.
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
import type { GcpSimulator } from "../../src/testing/index.ts"
import { image, measuringOf, parent, platform, service, sharesOf } from "./platform.ts"

/** A provider that says whether one of its operations is in progress. */
const watched = (provider: Provider) => {
  let running = 0
  const counted = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      running += 1
      return effect
    }).pipe(Effect.ensuring(Effect.sync(() => void (running -= 1))))
  const { metrics, traffic } = provider
  const counting: Provider = {
    ...provider,
    plan: (...given) => counted(provider.plan(...given)),
    observe: (...given) => counted(provider.observe(...given)),
    stage: (...given) => counted(provider.stage(...given)),
    rollback: (...given) => counted(provider.rollback(...given)),
    traffic: {
      shift: (...given) => counted(traffic!.shift(...given)),
      retire: (...given) => counted(traffic!.retire(...given))
    },
    metrics: { ...metrics!, measure: (...given) => counted(metrics!.measure(...given)) }
  }
  return { provider: counting, busy: () => running > 0 }
}

const canary = { type: "canary", steps: [{ weight: 50, bake: "1 minute" }] } as const

const configured = (strategy: NonNullable<Config["stacks"][number]["strategy"]>) =>
  config({
    environments: { production: { region: "europe-west1", account: "shop-1" } },
    stacks: [
      {
        name: "api",
        provider: "gcp:cloud-run",
        strategy,
        gate: {
          gracePeriod: "0 millis",
          interval: "10 seconds",
          consecutivePasses: 2,
          minSamples: 20,
          errorWindow: "2 minutes",
          maxErrorCount: 5
        },
        properties: { service: "api", image: "example.com/shop/api:${version}" }
      }
    ]
  })

/** Deploys v2 to a service that runs v1, under that many requests in 5 seconds, until that has ended or asks. */
const deploying = (
  prepare: (simulator: GcpSimulator) => void,
  {
    requests = 4,
    strategy = canary
  }: {
    readonly requests?: number
    readonly strategy?: Parameters<typeof configured>[0]
  } = {}
) =>
  Effect.gen(function* () {
    const simulator = yield* Effect.acquireRelease(
      Effect.promise(() => platform()),
      ({ close }) => Effect.promise(close)
    )
    prepare(simulator)
    yield* Effect.promise(async () => {
      await simulator.create(parent, "api", { template: { containers: [{ image: image("v1") }] } })
      while (simulator.service(service)!.reconciling) await new Promise((resolve) => setImmediate(resolve))
    })
    yield* TestClock.setTime(simulator.monitoring.now())
    const { busy, provider } = watched(measuringOf(simulator))
    const manifest = Result.getOrThrow(Configuration.check(configured(strategy), new Map([[provider.kind, provider]])))
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    const state = yield* Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const id = CorrelationId.make("first")
      yield* box.executions.submit(requestOf(manifest, deploymentId, id, { version: "v2" }))
      const fiber = yield* Effect.forkChild(box.executions.run(id))
      return yield* turned(simulator, { busy, fiber, requests, state: store.execution(id) })
    }).pipe(Effect.provide(layer))
    return { simulator, state }
  })

/** Turns the clocks of the engine and of the metrics together. As long as the provider works, it has all the time that it needs. */
const turned = <E>(
  simulator: GcpSimulator,
  options: {
    readonly busy: () => boolean
    readonly requests: number
    readonly fiber: Fiber.Fiber<unknown, unknown>
    readonly state: Effect.Effect<Execution.ExecutionState | null | undefined, E>
  }
) =>
  Effect.gen(function* () {
    const { monitoring } = simulator
    const ends = monitoring.now() + 3_600_000
    while (monitoring.now() < ends) {
      const state = yield* options.state
      if (options.fiber.pollUnsafe() !== undefined || (state?.questions.length ?? 0) > 0) return state!
      yield* Effect.promise(async () => {
        for (let turn = 0; turn < 12; turn++) await new Promise((resolve) => setImmediate(resolve))
        if (options.busy()) return
        if (options.requests > 0) await sharesOf(simulator, options.requests)
        monitoring.later(5)
      })
      yield* TestClock.adjust(monitoring.now() - (yield* Clock.currentTimeMillis))
    }
    return yield* Effect.die(new Error("it neither ended nor asked"))
  })

const findingsOf = ({ verdicts }: Execution.ExecutionState) => verdicts.at(-1)!.findings

describe("a gate on the metrics of Cloud Run", { concurrent: true }, () => {
  it.effect("passes a revision whose requests succeed", () =>
    Effect.gen(function* () {
      const { simulator, state } = yield* deploying(() => {})
      assert.strictEqual(state.status, "completed", JSON.stringify(state.error))
      assert.deepStrictEqual(yield* Effect.promise(() => sharesOf(simulator, 4)), { v2: 100 })
    })
  )

  it.effect("fails the revision whose requests fail, and no other", () =>
    Effect.gen(function* () {
      const { simulator, state } = yield* deploying((simulator) => {
        simulator.push(image("v2"), { answer: (_, response) => response.writeHead(500).end() })
      })
      assert.strictEqual(state.status, "rolled_back")
      assert.deepStrictEqual([state.error?.code, state.error?.params["step"]], ["gate_failed", "canary 50%"])
      assert.match(describeCauses(findingsOf(state)), /errors in \d+ requests/)
      assert.deepStrictEqual(yield* Effect.promise(() => sharesOf(simulator, 4)), { v1: 100 })
    })
  )

  it.effect("does not pass as long as the data are late", () =>
    Effect.gen(function* () {
      const { simulator, state } = yield* deploying(({ monitoring }) => monitoring.late(86_400))
      assert.strictEqual(state.questions.length, 1)
      assert.match(describeCauses(findingsOf(state)), /complete only up to/)
      assert.deepStrictEqual(yield* Effect.promise(() => sharesOf(simulator, 4)), { v1: 50, v2: 50 })
    })
  )

  for (const strategy of [canary, { type: "blue_green" }] as const) {
    it.effect(`does not pass ${strategy.type} without any request`, () =>
      Effect.gen(function* () {
        const { state } = yield* deploying(() => {}, { requests: 0, strategy })
        assert.strictEqual(state.questions.length, 1)
        assert.deepStrictEqual(
          state.verdicts.map(({ verdict }) => verdict),
          ["no_data"]
        )
      })
    )
  }
})
