import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { CorrelationId, type Provider, ProviderError, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Clock, Effect, Layer } from "effect"
import { canary, carryOut, config, deployed, gate, manifestOf, requestOf, world } from "../support.ts"

const id = CorrelationId.make("second")
const minute = 60_000
const unavailable = { _tag: "Unavailable", message: "no route" } as const

const noRoute = new ProviderError({
  provider: "simulated",
  operation: "stage",
  stackName: "web",
  reason: unavailable
})

const one = (timeout: string) => config({ stacks: [{ name: "web", provider: "simulated", gate, timeout }] })
const long = { limit: 3_600, tick: 1_000 }

describe("a provider that fails for a while", () => {
  it.effect("is called again until it works, for minutes", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(one("30 minutes"), cloud)
      const deploymentId = yield* deployed(manifest)
      const until = (yield* Clock.currentTimeMillis) + 8 * minute
      const calls = cloud.calls("stage", "web")
      cloud.fail({ operation: "stage", times: Infinity, until, reason: unavailable })
      const state = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }), long)
      assert.strictEqual(state.status, "completed")
      assert.isAtMost(cloud.calls("stage", "web") - calls, 35)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is given up after 10 minutes without an answer", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(one("30 minutes"), cloud)
      const deploymentId = yield* deployed(manifest)
      const began = yield* Clock.currentTimeMillis
      cloud.fail({ operation: "stage", times: Infinity, reason: unavailable })
      const state = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }), long)
      assert.deepStrictEqual([state.status, state.error?.code], ["rolled_back", "provider_unavailable"])
      const took = (yield* Clock.currentTimeMillis) - began
      assert.isAtLeast(took, 9 * minute)
      assert.isAtMost(took, 11 * minute)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is reported with its own failure when the time of the stage is nearly over", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(one("2 minutes"), cloud)
      const deploymentId = yield* deployed(manifest)
      cloud.fail({ operation: "stage", times: Infinity, reason: unavailable })
      const state = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }), long)
      assert.deepStrictEqual([state.status, state.error?.code], ["rolled_back", "provider_unavailable"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is called again for longer in a rollback, which has no timeout", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      cloud.script("web", "2.0.0", { broken: "it exits at once" })
      const until = (yield* Clock.currentTimeMillis) + 25 * minute
      cloud.fail({ operation: "rollback", times: Infinity, until, reason: unavailable })
      const state = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }), long)
      assert.strictEqual(state.status, "rolled_back")
    }).pipe(Effect.provide(layer))
  })

  it.effect("has a new budget after an attempt that took its time", () => {
    const cloud = SimulatedProvider.make()
    let cut = 0
    const provider: Provider = {
      ...cloud.provider,
      stage: (...given) =>
        Effect.suspend(() =>
          cut++ < 2 ? Effect.andThen(Effect.sleep(12 * minute), Effect.fail(noRoute)) : cloud.provider.stage(...given)
        )
    }
    return Effect.gen(function* () {
      const manifest = manifestOf(one("90 minutes"), cloud)
      const box = yield* Signalbox
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const state = yield* carryOut(requestOf(manifest, deploymentId, id), long)
      assert.deepStrictEqual([state.status, cut], ["completed", 3])
    }).pipe(
      Effect.provide(
        Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
      )
    )
  })
})
