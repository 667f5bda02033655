import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { DeploymentStore, type ExecutionQuery, type Provider, ProviderError, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Fiber, Layer } from "effect"
import { carryOut, config, deployed, gate, manifestOf, pass, requestOf } from "../support.ts"

const one = config({ stacks: [{ name: "web", provider: "simulated", gate }] })

/** A signalbox whose provider answers like this about the way back, and which tells what is read. */
const made = (canGoBack: NonNullable<Provider["canGoBack"]>) => {
  const cloud = SimulatedProvider.make()
  const queries: Array<ExecutionQuery> = []
  const counting = Layer.effect(
    DeploymentStore,
    Effect.map(DeploymentStore, (store) =>
      DeploymentStore.of({
        ...store,
        executions: (query) =>
          Effect.suspend(() => {
            queries.push(query)
            return store.executions(query)
          })
      })
    )
  )
  const layer = Signalbox.layer.pipe(
    Layer.provideMerge(Layer.provideMerge(counting, layerMemory)),
    Layer.provideMerge(Providers.layer([{ ...cloud.provider, canGoBack }]))
  )
  return { cloud, layer, queries }
}

/** Three releases, the last one live. */
const three = Effect.fnUntraced(function* (cloud: SimulatedProvider.SimulatedProvider) {
  const manifest = manifestOf(one, cloud)
  const deploymentId = yield* deployed(manifest)
  for (const [id, version] of [
    ["second", "2.0.0"],
    ["third", "3.0.0"]
  ] as const) {
    yield* carryOut(requestOf(manifest, deploymentId, id, { version }))
  }
  return { manifest, deploymentId }
})

const kept = (deploymentId: Effect.Success<ReturnType<typeof three>>["deploymentId"], ask: boolean) =>
  Effect.gen(function* () {
    const { executions } = yield* Signalbox
    const { items } = yield* executions.list({ deploymentId })
    return [...(yield* executions.restorable(items, { ask }))].sort()
  })

describe("what a history marks as kept", () => {
  it.effect("is what the record has, without what the provider knows to be gone", () => {
    const { cloud, layer } = made((_, { release }) =>
      Effect.succeed(
        release?.version === "1.0.0"
          ? { how: "impossible", why: "it was pruned" }
          : { how: "rebuild", why: "its image" }
      )
    )
    return Effect.gen(function* () {
      const { deploymentId } = yield* three(cloud)
      assert.deepStrictEqual(yield* kept(deploymentId, false), ["first", "second"])
      assert.deepStrictEqual(yield* kept(deploymentId, true), ["second"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is left to the record where a provider cannot tell", () => {
    const { cloud, layer } = made(({ stack }) =>
      Effect.fail(
        new ProviderError({
          provider: "simulated",
          operation: "canGoBack",
          stackName: stack,
          reason: { _tag: "Unavailable", message: "away" }
        })
      )
    )
    return Effect.gen(function* () {
      const { deploymentId } = yield* three(cloud)
      assert.deepStrictEqual(yield* kept(deploymentId, true), ["first", "second"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not wait for a provider that does not answer, even if its call cannot be interrupted", () => {
    let hangs = false
    let asked = 0
    const never = Effect.uninterruptible(Effect.never)
    const { cloud, layer } = made(() =>
      Effect.suspend(() => {
        if (!hangs) return Effect.succeed({ how: "switch", why: "it is there" })
        asked += 1
        return never
      })
    )
    return Effect.gen(function* () {
      const { deploymentId } = yield* three(cloud)
      hangs = true
      const fiber = yield* Effect.forkChild(kept(deploymentId, true))
      yield* pass(fiber, { limit: 3 })
      assert.strictEqual(asked, 2)
      assert.deepStrictEqual(yield* Fiber.join(fiber), ["first", "second"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("reads no further back than the page that is shown", () => {
    const { cloud, layer, queries } = made(() => Effect.succeed({ how: "switch", why: "it is there" }))
    return Effect.gen(function* () {
      const { deploymentId, manifest } = yield* three(cloud)
      const { executions } = yield* Signalbox
      for (let more = 0; more < 230; more++) {
        // Nothing changes, so that it takes no time.
        yield* carryOut(requestOf(manifest, deploymentId, `more-${more}`, { version: "3.0.0" }))
      }
      const { items } = yield* executions.list({ deploymentId, limit: 20 })
      queries.length = 0
      assert.deepStrictEqual([...(yield* executions.restorable(items))], [])
      assert.lengthOf(queries, 1)
      const oldest = yield* executions.list({ deploymentId, limit: 1_000 })
      queries.length = 0
      assert.deepStrictEqual([...(yield* executions.restorable(oldest.items))].sort(), ["first", "second"])
      assert.isAbove(queries.length, 2)
    }).pipe(Effect.provide(layer))
  })
})
