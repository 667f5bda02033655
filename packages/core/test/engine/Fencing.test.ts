import { assert, describe, it } from "@effect/vitest"
import { RunnerIdentity, Signalbox } from "@signalbox/core/engine"
import { DeploymentStore, type Mutation, type Provider, ProviderError, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Fiber, Layer } from "effect"
import { config, drive, gate, manifestOf, pass, requestOf } from "./support.ts"

const one = config({ stacks: [{ name: "web", provider: "simulated", gate }] })
const fencing = { capabilities: { fencing: true } } as const

const box = (owner: string, provider: Provider, isDead: (owner: string) => boolean = () => false) =>
  Signalbox.layer.pipe(
    Layer.provide(Providers.layer([provider])),
    Layer.provide(Layer.succeed(RunnerIdentity, { owner, isDead }))
  )

const submitted = (cloud: SimulatedProvider.SimulatedProvider) =>
  Effect.gen(function* () {
    const box = yield* Signalbox
    const manifest = manifestOf(one, cloud)
    const { deploymentId } = yield* drive(yield* Effect.forkChild(box.init({ manifest, by: "tester" })))
    const request = requestOf(manifest, deploymentId, "first")
    yield* drive(yield* Effect.forkChild(box.submit(request)))
    return request.correlationId
  })

const failing = (cloud: SimulatedProvider.SimulatedProvider, reason: ProviderError["reason"]): Provider => ({
  ...cloud.provider,
  fence: () => Effect.fail(new ProviderError({ provider: "simulated", operation: "fence", stackName: "", reason }))
})

describe("a runner that takes over", () => {
  it.effect("has what its predecessor still sends refused before it does anything itself", () => {
    const cloud = SimulatedProvider.make(fencing)
    // Its guard has passed, and its call is sent when it wakes.
    let late: Effect.Effect<unknown, ProviderError> | undefined
    const sleeper: Provider = {
      ...cloud.provider,
      stage: (ref, options, mutation: Mutation) =>
        Effect.andThen(mutation.guard, () => {
          late = cloud.provider.stage(ref, options, { ...mutation, guard: Effect.void })
          return Effect.never
        })
    }
    const successor: Provider = { ...cloud.provider, stage: () => Effect.never }
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const id = yield* Effect.provide(submitted(cloud), box("first", sleeper))
      const run = Effect.flatMap(Signalbox, (box) => box.run(id))
      const first = yield* Effect.forkChild(Effect.provide(run, box("first", sleeper)))
      yield* pass(first, { until: Effect.sync(() => late !== undefined) })
      const isDead = (owner: string) => owner.startsWith("first")
      const second = yield* Effect.forkChild(Effect.provide(run, box("second", successor, isDead)))
      const took = Effect.map(store.events({ stream: id, tags: ["RunnerTook"] }), (runners) => runners.length === 2)
      yield* pass(second, { until: took })
      const answer = yield* Effect.result(late!)
      yield* drive(yield* Effect.forkChild(Fiber.interruptAll([first, second])))
      assert.strictEqual(answer._tag === "Failure" ? answer.failure.reason._tag : "it was let through", "Fenced")
      assert.deepStrictEqual(cloud.ledger, [])
    }).pipe(Effect.provide(layerMemory))
  })

  it.effect("does not wait for a provider that does not answer", () => {
    const cloud = SimulatedProvider.make(fencing)
    return Effect.gen(function* () {
      const id = yield* submitted(cloud)
      const state = yield* drive(yield* Effect.forkChild(Effect.flatMap(Signalbox, (box) => box.run(id))))
      assert.strictEqual(state.status, "completed")
    }).pipe(
      Effect.provide(box("first", failing(cloud, { _tag: "Unavailable", message: "no route" }))),
      Effect.provide(layerMemory)
    )
  })

  it.effect("changes nothing where a provider knows a newer one", () => {
    const cloud = SimulatedProvider.make(fencing)
    return Effect.gen(function* () {
      const id = yield* submitted(cloud)
      const running = yield* Effect.forkChild(Effect.flip(Effect.flatMap(Signalbox, (box) => box.run(id))))
      assert.strictEqual((yield* drive(running))._tag, "LeaseLost")
      assert.deepStrictEqual(cloud.ledger, [])
    }).pipe(
      Effect.provide(box("first", failing(cloud, { _tag: "Fenced", message: "9 has been here", fence: 9 }))),
      Effect.provide(layerMemory)
    )
  })
})
