import { assert, describe, it } from "@effect/vitest"
import type { Config } from "@signalbox/core/config"
import { Signalbox } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, type Provider, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Layer } from "effect"
import { carryOut, config, gate, manifestOf, requestOf, world } from "../support.ts"

const id = CorrelationId.make("first")
const minute = 60_000
const one = (changes: Partial<Config> = {}) =>
  config({ stacks: [{ name: "web", provider: "simulated", gate, timeout: "2 minutes" }], ...changes })
const account = { environments: { production: { account: "111", region: "eu-west-1" } } }
const withProvider = (provider: Provider) =>
  Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([provider])))

describe("a plan", () => {
  it.effect("gets a mutation in an execution, and none in a preview", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(one(), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const request = requestOf(manifest, deploymentId, id)
      yield* box.executions.plan(request)
      assert.isTrue(cloud.plans.every(({ inExecution }) => !inExecution))
      const state = yield* carryOut(request)
      assert.strictEqual(state.status, "completed")
      assert.strictEqual(cloud.plans.filter(({ inExecution }) => inExecution).length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is recorded with its data, and handed back", () => {
    const plan = { data: { changeSet: "arn:1" }, resources: [], target: { account: "111", principal: "ci" } } as const
    const cloud = SimulatedProvider.make({ plan })
    const seen: Array<unknown> = []
    const provider: Provider = {
      ...cloud.provider,
      stage: (ref, options, mutation) => {
        seen.push(options.plan.data)
        return cloud.provider.stage(ref, options, mutation)
      }
    }
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(one(account), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      yield* carryOut(requestOf(manifest, deploymentId, id))
      assert.deepStrictEqual(seen, [{ changeSet: "arn:1" }])
      const [planned] = yield* store.events({ stream: id, tags: ["StackPlanned"] })
      assert.deepInclude(planned?.event._tag === "StackPlanned" ? planned.event.plan : {}, plan)
    }).pipe(Effect.provide(withProvider(provider)))
  })

  it.effect("that leads to another account or region is refused before anything is recorded or changed", () => {
    const { cloud, layer } = world({ plan: { target: { account: "222", region: "eu-west-1", principal: "ci" } } })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(one(account), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const request = requestOf(manifest, deploymentId, id)
      const previewed = yield* Effect.flip(box.executions.plan(request))
      const submitted = yield* Effect.flip(box.executions.submit(request))
      for (const refused of [previewed, submitted]) {
        assert.strictEqual(refused._tag === "Rejected" ? refused.info.code : refused._tag, "target_differs")
      }
      assert.deepStrictEqual(cloud.ledger, [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("that leads elsewhere only in the execution ends it before it changes anything", () => {
    const cloud = SimulatedProvider.make()
    const provider: Provider = {
      ...cloud.provider,
      plan: (ref, candidate, mutation) =>
        Effect.map(cloud.provider.plan(ref, candidate, mutation), (plan) =>
          mutation === undefined ? plan : { ...plan, target: { region: "us-east-1" } }
        )
    }
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(one(account), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const state = yield* carryOut(requestOf(manifest, deploymentId, id))
      assert.deepStrictEqual([state.status, state.error?.code], ["failed", "target_differs"])
      assert.deepInclude(state.error?.params, { field: "region", configured: "eu-west-1", actual: "us-east-1" })
      assert.deepStrictEqual(cloud.ledger, [])
    }).pipe(Effect.provide(withProvider(provider)))
  })

  it.effect("may ask for more time than the stack has, and not for less", () =>
    Effect.gen(function* () {
      const ended = (timeoutMs: number) => {
        const { cloud, layer } = world({ plan: { timeoutMs } })
        cloud.script("web", "1.0.0", { stageMillis: 4 * minute })
        return Effect.gen(function* () {
          const box = yield* Signalbox
          const manifest = manifestOf(one(), cloud)
          const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
          const state = yield* carryOut(requestOf(manifest, deploymentId, id), { limit: 1_200, tick: 1_000 })
          return [state.status, state.error?.code, state.error?.params["afterMs"]]
        }).pipe(Effect.provide(layer))
      }
      assert.deepStrictEqual(yield* ended(10 * minute), ["completed", undefined, undefined])
      assert.deepStrictEqual(yield* ended(minute), ["rolled_back", "stage_timeout", 2 * minute])
    })
  )
})
