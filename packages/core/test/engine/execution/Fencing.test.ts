import { assert, describe, it } from "@effect/vitest"
import { RunnerIdentity, Signalbox } from "@signalbox/core/engine"
import {
  DeploymentStore,
  LeaseStore,
  type Mutation,
  type Provider,
  ProviderError,
  Providers
} from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Fiber, Layer } from "effect"
import { config, drive, gate, manifestOf, pass, requestOf } from "../support.ts"

const one = config({ stacks: [{ name: "web", provider: "simulated", gate }] })
const fencing = { capabilities: { fence: true } } as const

const box = (owner: string, provider: Provider, isDead: (owner: string) => boolean = () => false) =>
  Signalbox.layer.pipe(
    Layer.provide(Providers.layer([provider])),
    Layer.provide(Layer.succeed(RunnerIdentity, { owner, isDead }))
  )

const submitted = (cloud: SimulatedProvider.SimulatedProvider) =>
  Effect.gen(function* () {
    const box = yield* Signalbox
    const manifest = manifestOf(one, cloud)
    const { deploymentId } = yield* drive(yield* Effect.forkChild(box.deployments.init({ manifest, by: "tester" })))
    const request = requestOf(manifest, deploymentId, "first")
    yield* drive(yield* Effect.forkChild(box.executions.submit(request)))
    return request.correlationId
  })

const failure = (reason: ProviderError["reason"]) =>
  new ProviderError({ provider: "simulated", operation: "fence", stackName: "", reason })

const failing = (cloud: SimulatedProvider.SimulatedProvider, reason: ProviderError["reason"]): Provider => ({
  ...cloud.provider,
  fence: () => Effect.fail(failure(reason))
})

const newer = { _tag: "Fenced", message: "9 has been here", fence: 9 } as const

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
      const run = Effect.flatMap(Signalbox, (box) => box.executions.run(id))
      const first = yield* Effect.forkChild(Effect.provide(run, box("first", sleeper)))
      yield* pass(first, { until: Effect.sync(() => late !== undefined) })
      const isDead = (owner: string) => owner.startsWith("first")
      const second = yield* Effect.forkChild(Effect.provide(run, box("second", successor, isDead)))
      const took = Effect.map(store.events({ stream: id, tags: ["RunnerClaimed"] }), (runners) => runners.length === 2)
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
      const state = yield* drive(yield* Effect.forkChild(Effect.flatMap(Signalbox, (box) => box.executions.run(id))))
      assert.strictEqual(state.status, "completed")
    }).pipe(
      Effect.provide(box("first", failing(cloud, { _tag: "Unavailable", message: "no route" }))),
      Effect.provide(layerMemory)
    )
  })

  it.effect("changes nothing where a provider knows a newer fence and the lock is lost", () => {
    const cloud = SimulatedProvider.make(fencing)
    return Effect.gen(function* () {
      const leases = yield* LeaseStore
      const store = yield* DeploymentStore
      let isLost = false
      const tried: Array<string> = []
      // The store refuses the writes of a lost lease, too: only the attempts show that the loss was noticed before.
      const observed = DeploymentStore.of({
        ...store,
        append: (append) =>
          Effect.suspend(() => {
            if (isLost) tried.push(...append.events.map(({ id }) => id))
            return store.append(append)
          })
      })
      const overtaken: Provider = {
        ...cloud.provider,
        fence: () =>
          Effect.gen(function* () {
            const lock = (yield* leases.list).find(({ key }) => key.startsWith("environment/"))!
            const { fence, key } = lock
            yield* leases.acquire({ key, holder: "another", owner: "another", ttl: "1 minute" as never, evict: fence })
            isLost = true
            return yield* failure(newer)
          }).pipe(Effect.catchTags({ LeaseHeld: Effect.die, StoreError: Effect.die }))
      }
      const run = Effect.flatMap(submitted(cloud), (id) =>
        Effect.flatMap(Signalbox, (box) => Effect.forkChild(Effect.flip(box.executions.run(id))))
      )
      const lost = yield* Effect.flatMap(run, drive).pipe(
        Effect.provide(box("first", overtaken)),
        Effect.provideService(DeploymentStore, observed)
      )
      assert.strictEqual(lost._tag, "LeaseLost")
      assert.isTrue(isLost)
      assert.deepStrictEqual(tried, [])
      assert.deepStrictEqual(cloud.ledger, [])
    }).pipe(Effect.provide(layerMemory))
  })

  it.effect("fails before it changes anything if a newer fence belongs to another store", () => {
    const cloud = SimulatedProvider.make(fencing)
    return Effect.gen(function* () {
      const id = yield* submitted(cloud)
      const state = yield* drive(yield* Effect.forkChild(Effect.flatMap(Signalbox, (box) => box.executions.run(id))))
      assert.deepStrictEqual([state.status, state.error?.code], ["failed", "store_replaced"])
      assert.deepStrictEqual(state.error?.remedies, [{ _tag: "orphans" }])
      assert.deepStrictEqual(cloud.ledger, [])
    }).pipe(Effect.provide(box("first", failing(cloud, newer))), Effect.provide(layerMemory))
  })
})
