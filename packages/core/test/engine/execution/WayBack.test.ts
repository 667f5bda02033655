import { describeCause } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { type Provider, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { Effect, Layer } from "effect"
import { carryOut, config, deployed, gate, manifestOf, requestOf, world } from "../support.ts"

const pruning = { capabilities: { canGoBack: true } } as const
const one = config({ stacks: [{ name: "web", provider: "simulated", gate }] })

describe("the way back", () => {
  it.effect("needs no warning while the stable release is live", () => {
    const { cloud, layer } = world(pruning)
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(one, cloud)
      const deploymentId = yield* deployed(manifest)
      const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
      const notices = Effect.map(box.executions.plan(request), ([planned]) =>
        planned!.plan!.notices?.map(describeCause)
      )
      // The stable release is live.
      assert.isUndefined(yield* notices)
    }).pipe(Effect.provide(layer))
  })

  for (const [how, why, said] of [
    ["rebuild", "from its record", "a rollback has to start the old release again: from its record"],
    ["impossible", "it was pruned", "a rollback is impossible: it was pruned"]
  ] as const) {
    it.effect(`is announced as ${how}, and a deployment goes on that was warned of it`, () => {
      const { cloud } = world()
      const provider: Provider = { ...cloud.provider, canGoBack: () => Effect.succeed({ how, why }) }
      const layer = Signalbox.layer.pipe(
        Layer.provideMerge(layerMemory),
        Layer.provideMerge(Providers.layer([provider]))
      )
      return Effect.gen(function* () {
        const box = yield* Signalbox
        const manifest = manifestOf(one, cloud)
        const deploymentId = yield* deployed(manifest)
        const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
        const [planned] = yield* box.executions.plan(request)
        assert.deepStrictEqual(planned!.plan!.notices?.map(describeCause), [said])
        assert.strictEqual((yield* carryOut(request)).status, "completed")
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("that is lost after the plan stops a deployment before traffic moves, and its candidate is removed", () => {
    const { cloud } = world()
    let staged = false
    const provider: Provider = {
      ...cloud.provider,
      stage: (...given) => Effect.tap(cloud.provider.stage(...given), () => Effect.sync(() => (staged = true))),
      canGoBack: () =>
        Effect.succeed(staged ? { how: "impossible", why: "it was pruned" } : { how: "switch", why: "it is there" })
    }
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    return Effect.gen(function* () {
      const manifest = manifestOf(one, cloud)
      const deploymentId = yield* deployed(manifest)
      staged = false
      const before = cloud.ledger.length
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(describeCause(state.error!), "web: cannot roll back to 1.0.0: it was pruned")
      assert.deepStrictEqual(
        cloud.ledger.slice(before).map(({ operation }) => operation),
        ["stage", "rollback"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("that is lost after the shift is not tried: the rollback fails and says why", () => {
    const { cloud } = world()
    let shifted = false
    cloud.script("web", "2.0.0", { errorRate: 0.9 })
    const { shift, ...traffic } = cloud.provider.traffic!
    const provider: Provider = {
      ...cloud.provider,
      traffic: {
        ...traffic,
        shift: (...given) => Effect.tap(shift(...given), () => Effect.sync(() => (shifted = true)))
      },
      canGoBack: () =>
        Effect.succeed(shifted ? { how: "impossible", why: "it was pruned" } : { how: "switch", why: "it is there" })
    }
    const layer = Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))
    return Effect.gen(function* () {
      const manifest = manifestOf(one, cloud)
      const deploymentId = yield* deployed(manifest)
      shifted = false
      const before = cloud.ledger.length
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "failed")
      assert.include(describeCause(state.error!), "cannot roll back to 1.0.0: it was pruned")
      assert.deepStrictEqual(
        cloud.ledger.slice(before).map(({ operation }) => operation),
        ["stage", "shift"]
      )
    }).pipe(Effect.provide(layer))
  })
})
