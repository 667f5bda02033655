/**
 * What differs from stack to stack within one request: artifacts, places, and texts with variables.
 */
import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { DeploymentStore, type PlaceRef, Providers, type StackRef } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { describe as described } from "@signalbox/core/text"
import { Effect, Layer } from "effect"
import { carryOut, config, gate, manifestOf, production, requestOf, world } from "../support.ts"

const varied = config({
  environments: { production: { region: "eu-west-1", stacks: { web: { region: "us-east-1", account: "2" } } } },
  stacks: [
    { name: "api", provider: "simulated", gate, properties: { image: "api:${version}", price: "$${version}" } },
    { name: "web", provider: "simulated", gate, dependsOn: ["api"], properties: { tag: "${commit} in ${environment}" } }
  ]
})
const origin = { commit: "4f2a91c" }

/** A simulated cloud that writes down what it is asked about. */
const listening = () => {
  const cloud = SimulatedProvider.make()
  const refs: Array<StackRef> = []
  const fenced: Array<PlaceRef> = []
  const { plan, rollback } = cloud.provider
  const provider = {
    ...cloud.provider,
    plan: (ref: StackRef, ...rest: never) => (refs.push(ref), (plan as Function)(ref, ...(rest as [])) as never),
    rollback: (ref: StackRef, ...rest: never) => (
      refs.push(ref),
      (rollback as Function)(ref, ...(rest as [])) as never
    ),
    fence: (place: PlaceRef) => Effect.sync(() => void fenced.push(place))
  }
  const layer = Signalbox.layer.pipe(
    Layer.provideMerge(layerMemory),
    Layer.provideMerge(Providers.layer([provider as unknown as typeof cloud.provider]))
  )
  return { cloud, fenced, layer, refs }
}

describe("a request about several stacks", () => {
  it.effect("brings in each stack's artifact, and the common one elsewhere", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(varied, cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const request = requestOf(manifest, deploymentId, "first", {
        origin,
        artifact: "./all",
        artifacts: { web: "./web" } as never
      })
      const plan = yield* box.executions.plan(request)
      assert.deepStrictEqual(
        plan.map(({ artifact, values }) => [artifact, values]),
        [
          ["./all", { image: "api:1.0.0" }],
          ["./web", { tag: "4f2a91c in production" }]
        ]
      )
      const ended = yield* carryOut(request)
      assert.deepStrictEqual(
        ended.stacks.map(({ release }) => release?.artifact),
        ["./all", "./web"]
      )
      assert.deepStrictEqual<unknown>(ended.artifacts, { web: "./web" })
    }).pipe(Effect.provide(layer))
  })

  it.effect("rejects an artifact for a stack that it does not deploy, with a suggestion", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(varied, cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const request = requestOf(manifest, deploymentId, "first", { origin, artifacts: { wep: "./web" } as never })
      for (const refused of [
        yield* Effect.flip(box.executions.submit(request)),
        yield* Effect.flip(box.executions.plan(request))
      ]) {
        assert.isTrue(refused._tag === "Rejected" && refused.kind === "invalid")
        assert.strictEqual(refused.info.path, "artifacts.wep")
        assert.include(described(refused.info).hint, `Did you mean "web"?`)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("joins only an execution with the same artifacts", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(varied, cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const request = requestOf(manifest, deploymentId, "first", { origin, artifacts: { web: "./web" } as never })
      yield* carryOut(request)
      assert.isTrue((yield* box.executions.submit(request)).joined)
      const other = yield* Effect.flip(
        box.executions.submit({ ...request, artifacts: { web: "./web", api: "./api" } as never })
      )
      assert.strictEqual(other._tag === "Rejected" && other.code, "correlation_id_taken")
    }).pipe(Effect.provide(layer))
  })

  it.effect("records nothing if a variable has no value", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(varied, cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const request = requestOf(manifest, deploymentId, "first")
      for (const queue of ["reject", "fifo"] as const) {
        const refused = yield* Effect.flip(box.executions.submit({ ...request, queue }))
        assert.strictEqual(refused._tag === "Rejected" && refused.code, "variable_missing")
      }
      assert.isUndefined(yield* store.execution(request.correlationId))
      assert.strictEqual(cloud.ledger.length, 0)
      // A deployment of the other stack does not need it.
      const one = { kind: "deploy-stack", stacks: [manifest.stacks[0]!.name] } as const
      assert.strictEqual((yield* carryOut({ ...request, ...one })).status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("asks the provider about each stack in its own place, with the values as they were recorded", () => {
    const { cloud, fenced, layer, refs } = listening()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(varied, cloud)
      const commit = { ...manifest, stacks: manifest.stacks } as typeof manifest
      const { deploymentId } = yield* (yield* Signalbox).deployments.init({ manifest, by: "tester" })
      yield* carryOut(requestOf(commit, deploymentId, "first", { origin }))
      yield* carryOut(requestOf(commit, deploymentId, "second", { version: "2.0.0", origin: { commit: "b" } }))
      assert.deepStrictEqual(
        refs.slice(-2).map(({ account, properties, region }) => [region, account, properties]),
        [
          ["eu-west-1", undefined, { image: "api:2.0.0", price: "${version}" }],
          ["us-east-1", "2", { tag: "b in production" }]
        ]
      )
      assert.deepStrictEqual(
        fenced.slice(-2).map(({ account, region }) => [region, account]),
        [
          ["eu-west-1", undefined],
          ["us-east-1", "2"]
        ]
      )
      // Back on the record: what the second deployment was requested with, in the places where it went.
      const back = yield* carryOut(requestOf(commit, deploymentId, "third", { kind: "rollback" }))
      assert.strictEqual(back.status, "completed")
      assert.deepStrictEqual(
        refs.slice(-2).map(({ account, properties, region, stack }) => [stack, region, account, properties]),
        [
          ["web", "us-east-1", "2", { tag: "b in production" }],
          ["api", "eu-west-1", undefined, { image: "api:2.0.0", price: "${version}" }]
        ]
      )
      const state = yield* store.environment(deploymentId, production)
      assert.deepStrictEqual(
        state?.stacks.map(({ release }) => release?.version),
        ["1.0.0", "1.0.0"]
      )
    }).pipe(Effect.provide(layer))
  })
})
