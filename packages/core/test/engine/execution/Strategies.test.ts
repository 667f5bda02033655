import { describeCause } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { executionView } from "@signalbox/core/api/views"
import { type Config } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import { DeploymentStore, type Provider, Providers } from "@signalbox/core/spi"
import { testMutation } from "@signalbox/core/testing"
import { layerMemory } from "@signalbox/core/store"
import { Clock, Effect, Layer } from "effect"
import {
  carryOut,
  config,
  deployed,
  drive,
  gate,
  manifestOf,
  pass,
  production,
  requestOf,
  statuses,
  versions,
  world
} from "../support.ts"

const web = (strategy: NonNullable<Config["stacks"][number]["strategy"]>) =>
  config({ stacks: [{ name: "web", provider: "simulated", gate, strategy }] })

const canary = web({
  type: "canary",
  steps: [
    { weight: 10, bake: "10 seconds" },
    { weight: 50, bake: "10 seconds" }
  ]
})

describe("strategies", () => {
  it.effect("canary raises the candidate's traffic step by step, watching each", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "completed")
      const store = yield* DeploymentStore
      const shares = yield* store.events({ stream: "second", tags: ["TrafficObserved"] })
      assert.deepStrictEqual(
        shares.map(({ event }) => (event._tag === "TrafficObserved" ? event.candidate : -1)),
        [10, 50, 100]
      )
      assert.deepStrictEqual(
        state.verdicts.map(({ step, verdict }) => `${step} ${verdict}`),
        ["canary 10% pass", "canary 50% pass", "validation pass"]
      )
      assert.isAtLeast(shares[1]!.at - shares[0]!.at, 10_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("passes a gate whose looks take longer than its whole patience", () => {
    const { cloud } = world()
    const source = cloud.provider.metrics!
    let isSlow = false
    const metrics: Provider["metrics"] = {
      ...source,
      measure: (...given) => Effect.delay(source.measure(...given), isSlow ? "2 seconds" : "0 millis")
    }
    const layer = Signalbox.layer.pipe(
      Layer.provideMerge(layerMemory),
      Layer.provideMerge(Providers.layer([{ ...cloud.provider, metrics }]))
    )
    return Effect.gen(function* () {
      const slow = { ...gate, interval: "100 millis", consecutivePasses: 3 } as const
      const manifest = manifestOf(config({ stacks: [{ name: "web", provider: "simulated", gate: slow }] }), cloud)
      const deploymentId = yield* deployed(manifest)
      isSlow = true
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "completed", JSON.stringify(state.verdicts))
    }).pipe(Effect.provide(layer))
  })

  it.effect("a bake takes its full time if the wall clock is set back in the middle of it", () =>
    Effect.clockWith((test) => {
      const { cloud } = world()
      const { metrics, traffic, ...others } = cloud.provider
      // The cloud has a clock of its own.
      const there = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.provideService(effect, Clock.Clock, test)
      const provider: Provider = {
        ...others,
        plan: (...given) => there(others.plan(...given)),
        stage: (...given) => there(others.stage(...given)),
        observe: (...given) => there(others.observe(...given)),
        metrics: { ...metrics!, measure: (...given) => there(metrics!.measure(...given)) },
        traffic: {
          shift: (...given) => there(traffic!.shift(...given)),
          retire: (...given) => there(traffic!.retire(...given))
        }
      }
      let shift = 7_200_000
      const currentTimeMillisUnsafe = () => test.currentTimeMillisUnsafe() + shift
      const currentTimeMillis = Effect.sync(currentTimeMillisUnsafe)
      const here: Clock.Clock = { ...test, currentTimeMillisUnsafe, currentTimeMillis }
      const layer = Signalbox.layer.pipe(
        Layer.provideMerge(layerMemory),
        Layer.provideMerge(Providers.layer([provider]))
      )
      return Effect.gen(function* () {
        const manifest = manifestOf(canary, cloud)
        const deploymentId = yield* deployed(manifest)
        const box = yield* Signalbox
        const store = yield* DeploymentStore
        const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
        yield* box.executions.submit(request)
        const fiber = yield* Effect.forkChild(box.executions.run(request.correlationId))
        const events = store.events({ stream: "second", tags: ["TrafficObserved"] })
        yield* pass(fiber, { until: Effect.map(events, (all) => all.length > 0), tick: 1000 })
        shift = 3_600_000
        const state = yield* drive(fiber, { limit: 120 })
        assert.strictEqual(state.status, "completed", JSON.stringify(state.error))
      }).pipe(Effect.provide(layer), Effect.provideService(Clock.Clock, here))
    })
  )

  it.effect("a canary that answers with errors rolls back, and the stable release has all traffic again", () => {
    const { cloud, layer } = world()
    cloud.script("web", "3.0.0", { errorRate: 0.5 })
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "bad", { version: "3.0.0" }))
      assert.strictEqual(state.status, "rolled_back")
      assert.deepStrictEqual(versions(state), ["web 1.0.0"])
      assert.deepStrictEqual(statuses(state), ["web deployed"])
      assert.strictEqual(state.error?.code, "gate_failed")
      assert.match(describeCause(state.error!), /web: canary 10% failed its gate: \d+ errors in \d+ requests/)
      const store = yield* DeploymentStore
      const environment = yield* store.environment(deploymentId, state.environment)
      assert.strictEqual(environment?.status, "deployed")
      const ref = { deploymentId, environment: state.environment, stack: "web" as never, properties: {} }
      const { releases, traffic } = yield* cloud.inspect(ref)
      assert.strictEqual(releases.length, 1)
      assert.deepStrictEqual(Object.values(traffic), [100])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a first deployment that fails leaves nothing there, and the deployment failed", () => {
    const { cloud, layer } = world()
    cloud.script("web", "*", { broken: "exits with 1" })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(canary, cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const state = yield* carryOut(requestOf(manifest, deploymentId, "first"))
      assert.strictEqual(state.status, "rolled_back")
      assert.deepStrictEqual(statuses(state), ["web not_deployed"])
      const store = yield* DeploymentStore
      assert.strictEqual((yield* store.environment(deploymentId, state.environment))?.status, "failed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("rolling moves capacity and traffic together, batch by batch", () => {
    const { cloud, layer } = world({ instances: 4 })
    return Effect.gen(function* () {
      const manifest = manifestOf(web({ type: "rolling", batches: 4 }), cloud)
      const deploymentId = yield* deployed(manifest)
      const before = cloud.ledger.length
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "completed")
      assert.deepStrictEqual(
        cloud.ledger.slice(before).map(({ operation }) => operation),
        ["stage", "shift", "retire", "stage", "shift", "retire", "stage", "shift", "retire", "stage", "shift", "retire"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("rolling keeps the old capacity while too few instances of the new release are healthy", () => {
    const { cloud, layer } = world({ instances: 4 })
    cloud.script("web", "2.0.0", { healthy: 50 })
    return Effect.gen(function* () {
      const manifest = manifestOf(web({ type: "rolling", batches: 2 }), cloud)
      const deploymentId = yield* deployed(manifest)
      const before = cloud.ledger.length
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(
        describeCause(state.error!),
        "web: the old release was not removed: the new one has 50 % of the traffic with 1 of 2 instances healthy (80 % needed)"
      )
      assert.deepStrictEqual(
        cloud.ledger.slice(before).map(({ operation }) => operation),
        ["stage", "shift", "rollback"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("rolling removes the old capacity if the gate asks for no more healthy instances than there are", () => {
    const { cloud, layer } = world({ instances: 4 })
    cloud.script("web", "2.0.0", { healthy: 50 })
    return Effect.gen(function* () {
      const manifest = manifestOf(
        config({
          stacks: [
            {
              name: "web",
              provider: "simulated",
              gate: { ...gate, minHealthyPercentage: 50 },
              strategy: { type: "rolling", batches: 2 }
            }
          ]
        }),
        cloud
      )
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("the old release stays at the end if instances of the new one failed after validation", () => {
    const { cloud } = world({ instances: 4 })
    const { observe, ...others } = cloud.provider
    let validated = false
    const provider: Provider = {
      ...others,
      metrics: {
        ...others.metrics!,
        measure: (...given) =>
          Effect.tap(others.metrics!.measure(...given), () => Effect.sync(() => (validated = true)))
      },
      observe: (ref) =>
        Effect.map(observe(ref), (seen) => ({
          ...seen,
          health: Object.fromEntries(
            Object.entries(seen.health).map(([id, { total }]) => [
              id,
              { healthy: validated && id.startsWith("2.0.0") ? 3 : total, total }
            ])
          )
        }))
    }
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    return Effect.gen(function* () {
      const manifest = manifestOf(web({ type: "all_at_once" }), cloud)
      const deploymentId = yield* deployed(manifest)
      validated = false
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "completed")
      const { releases } = yield* cloud.inspect({
        deploymentId,
        environment: state.environment,
        stack: "web" as never,
        properties: {}
      })
      assert.strictEqual(releases.length, 2)
      const store = yield* DeploymentStore
      const reports = yield* store.events({ stream: "second", tags: ["ProgressReported"] })
      const left = reports.flatMap(({ event }) =>
        event._tag === "ProgressReported" && event.cause?.code === "old_release_left"
          ? [describeCause(event.cause)]
          : []
      )
      assert.strictEqual(left.length, 1)
      assert.include(left[0], "3 of 4 instances healthy (80 % needed)")
    }).pipe(Effect.provide(layer))
  })

  it.effect("blue_green switches once, and back at once when the bake fails", () => {
    const { cloud, layer } = world()
    cloud.script("web", "2.0.0", { errorRate: 0.5 })
    return Effect.gen(function* () {
      const manifest = manifestOf(web({ type: "blue_green", bake: "1 minute" }), cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "rolled_back")
      assert.deepStrictEqual(versions(state), ["web 1.0.0"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a provider without traffic is deployed all at once and judged by its health", () => {
    const { cloud, layer } = world({ capabilities: { traffic: "none", capacity: false, metrics: false } })
    return Effect.gen(function* () {
      const manifest = manifestOf(web({ type: "all_at_once" }), cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "completed")
      assert.deepStrictEqual(versions(state), ["web 2.0.0"])
    }).pipe(Effect.provide(layer))
  })

  for (const [is, healthy, ends, finding] of [
    ["ready", 100, "completed", "the release is ready"],
    ["not ready", 50, "rolled_back", "the release is not ready"]
  ] as const) {
    it.effect(`a release without instances that is ${is} is judged as a whole: ${ends}`, () => {
      const { cloud, layer } = world({
        healthUnit: "release",
        capabilities: { traffic: "switch", capacity: false, metrics: false }
      })
      cloud.script("web", "2.0.0", { healthy })
      return Effect.gen(function* () {
        const manifest = manifestOf(web({ type: "blue_green", bake: "10 seconds" }), cloud)
        const deploymentId = yield* deployed(manifest)
        const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
        assert.strictEqual(state.status, ends)
        const { evidence } = state.verdicts.find(({ step }) => step === "blue_green")!
        assert.strictEqual(describeCause(evidence[0]!.finding), finding)
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("a service that is live already is the stable release of the first canary", () => {
    const { cloud, layer } = world({ capabilities: { adopts: true } })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(canary, cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      yield* cloud.live({ deploymentId, environment: production, stack: "web" as never, properties: {} }, "0.9.0")
      const state = yield* carryOut(requestOf(manifest, deploymentId, "first"))
      assert.strictEqual(state.status, "completed", JSON.stringify(state.error))
      const shares = yield* (yield* DeploymentStore).events({ stream: "first", tags: ["TrafficObserved"] })
      assert.deepStrictEqual(
        shares.map(({ event }) => (event._tag === "TrafficObserved" ? event.candidate : -1)),
        [10, 50, 100]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("a first release that is live at once is announced by its plan, and later ones are not", () => {
    const { cloud, layer } = world({ capabilities: { firstRelease: "live" } })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(canary, cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const notices = (version: string) =>
        Effect.map(box.executions.plan(requestOf(manifest, deploymentId, `plan-${version}`, { version })), ([one]) =>
          one!.plan!.notices?.map(({ code }) => code as string)
        )
      assert.deepStrictEqual(yield* notices("1.0.0"), ["first_release_live"])
      assert.strictEqual((yield* carryOut(requestOf(manifest, deploymentId, "first"))).status, "completed")
      assert.isUndefined(yield* notices("2.0.0"))
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "a plan warns, and the log keeps it, if the provider does not see the release that the record names",
    () => {
      const { cloud, layer } = world({ capabilities: { fencing: "guarded" } })
      return Effect.gen(function* () {
        const manifest = manifestOf(canary, cloud)
        const deploymentId = yield* deployed(manifest)
        const box = yield* Signalbox
        const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
        const codes = (notices: ReadonlyArray<{ readonly code: string }> = []) => notices.map(({ code }) => code)
        assert.deepStrictEqual(codes((yield* box.executions.plan(request))[0]!.plan!.notices), [])
        // The provider forgets, as one does that keeps its state in memory.
        const ref = { deploymentId, environment: production, stack: "web" as never, properties: {} }
        yield* cloud.provider.destroy(ref, testMutation("forgets"))
        const [planned] = yield* box.executions.plan(request)
        assert.deepStrictEqual(codes(planned!.plan!.notices), ["recorded_release_unseen"])
        yield* carryOut(request)
        const events = yield* (yield* DeploymentStore).events({ stream: "second", tags: ["StackPlanned"] })
        assert.deepStrictEqual(
          events.map(({ event }) => (event._tag === "StackPlanned" ? codes(event.plan.notices) : [])),
          [["recorded_release_unseen"]]
        )
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("the addresses of both releases are shown while a candidate comes in, and only one of them later", () => {
    const { cloud, layer } = world({ endpoints: true })
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const box = yield* Signalbox
      const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
      yield* box.executions.submit(request)
      const fiber = yield* Effect.forkChild(box.executions.run(request.correlationId))
      const versionsShown = Effect.map(box.executions.get(request.correlationId), (state) =>
        Object.entries(executionView(state!, 0).stacks[0]!.endpoints ?? {}).map(
          ([id, url]) => `${id.split("-")[0]} ${url === `https://${id}.example`}`
        )
      )
      yield* pass(fiber, { until: Effect.map(versionsShown, (shown) => shown.length === 2) })
      assert.deepStrictEqual(yield* versionsShown, ["1.0.0 true", "2.0.0 true"])
      assert.strictEqual((yield* drive(fiber)).status, "completed")
      assert.deepStrictEqual(yield* versionsShown, ["2.0.0 true"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("a stage that takes too long is a timeout, and rolls back", () => {
    const { cloud, layer } = world()
    cloud.script("web", "2.0.0", { stageMillis: 3_600_000 })
    return Effect.gen(function* () {
      const manifest = manifestOf(
        config({ stacks: [{ name: "web", provider: "simulated", gate, timeout: "2 minutes" }] }),
        cloud
      )
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(state.error?.code, "stage_timeout")
      assert.isAtMost(state.finishedAt! - state.startedAt!, 130_000)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a canary without requests does not pass: it asks, and rolls back without an answer", () => {
    const { cloud, layer } = world({ requestsPerSecond: 0 })
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }), {
        limit: 7_200,
        tick: 10_000
      })
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(state.error?.code, "approval_expired")
      assert.deepStrictEqual(
        state.verdicts.map(({ verdict }) => verdict),
        ["no_data"]
      )
    }).pipe(Effect.provide(layer))
  })
})
