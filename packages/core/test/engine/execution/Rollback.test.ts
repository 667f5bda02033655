import { causeInfo } from "@signalbox/core/spi"
import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { type CorrelationId, DeploymentStore } from "@signalbox/core/spi"
import { Effect } from "effect"
import {
  carryOut,
  config,
  deployed,
  gate,
  manifestOf,
  production,
  requestOf,
  statuses,
  versions,
  world
} from "../support.ts"

const chain = (changes: Parameters<typeof config>[0] = {}) =>
  config({
    stacks: [
      { name: "db", provider: "simulated", gate },
      { name: "api", provider: "simulated", dependsOn: ["db"], gate },
      { name: "web", provider: "simulated", dependsOn: ["api"], gate }
    ],
    ...changes
  })

describe("rolling back", () => {
  it.effect("restores every changed stack, dependents first", () => {
    const { cloud, layer } = world()
    cloud.script("web", "2.0.0", { broken: "exits with 1" })
    return Effect.gen(function* () {
      const manifest = manifestOf(chain(), cloud)
      const deploymentId = yield* deployed(manifest)
      const before = cloud.ledger.length
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(state.error?.code, "release_broken")
      assert.deepStrictEqual(versions(state), ["db 1.0.0", "api 1.0.0", "web 1.0.0"])
      assert.deepStrictEqual(
        cloud.ledger
          .slice(before)
          .filter(({ operation }) => operation === "rollback")
          .map(({ stack }) => stack)
          .slice(-2),
        ["api", "db"]
      )
      const store = yield* DeploymentStore
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deployed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("never undoes an irreversible stack, and says so", () => {
    const { cloud, layer } = world()
    cloud.script("web", "2.0.0", { broken: "exits with 1" })
    return Effect.gen(function* () {
      const manifest = manifestOf(
        chain({
          stacks: [
            { name: "db", provider: "simulated", gate, irreversible: "it migrates the schema" },
            { name: "web", provider: "simulated", dependsOn: ["db"], gate }
          ]
        }),
        cloud
      )
      const deploymentId = yield* deployed(manifest)
      const before = cloud.ledger.length
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "rolled_back")
      assert.deepStrictEqual(versions(state), ["db 2.0.0", "web 1.0.0"])
      assert.isFalse(
        cloud.ledger.slice(before).some(({ operation, stack }) => operation === "rollback" && stack === "db")
      )
      assert.deepStrictEqual(
        state.stacks[0]!.stages.find(({ name }) => name === "rollback")?.cause,
        causeInfo("irreversible", {}, "it migrates the schema")
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("without rollback some stacks end deployed, some failed: partial, and nothing depends on a failure", () => {
    const { cloud, layer } = world()
    cloud.script("api", "2.0.0", { broken: "exits with 1" })
    return Effect.gen(function* () {
      const manifest = manifestOf(chain({ rollback: false }), cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "failed")
      assert.deepStrictEqual(statuses(state), ["db deployed", "api failed", "web deployed"])
      assert.deepStrictEqual(versions(state), ["db 2.0.0", "api 1.0.0", "web 1.0.0"])
      const store = yield* DeploymentStore
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "partial")
    }).pipe(Effect.provide(layer))
  })

  it.effect("reports a failed rollback, and still rolls back the rest", () => {
    const { cloud, layer } = world()
    cloud.script("web", "2.0.0", { broken: "exits with 1" })
    cloud.fail({ operation: "rollback", stack: "api", reason: { _tag: "Denied", message: "no permission" } })
    return Effect.gen(function* () {
      const manifest = manifestOf(chain(), cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "failed")
      assert.strictEqual(state.error?.code, "rollback_failed")
      assert.deepStrictEqual(statuses(state), ["db deployed", "api failed", "web deployed"])
      const store = yield* DeploymentStore
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "failed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("the rollback command reverts the last execution's changes, once", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(chain(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      const state = yield* carryOut(requestOf(manifest, deploymentId, "back", { kind: "rollback" }))
      assert.strictEqual(state.status, "completed")
      assert.deepStrictEqual(versions(state), ["db 1.0.0", "api 1.0.0", "web 1.0.0"])
      const again = yield* Effect.flip(
        box.executions.submit(requestOf(manifest, deploymentId, "back-again", { kind: "rollback" }))
      )
      assert.strictEqual(again._tag === "Rejected" ? again.code : "", "nothing_to_roll_back")
    }).pipe(Effect.provide(layer))
  })
})

describe("destroy", () => {
  it.effect("takes the stacks away, dependents first", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(chain(), cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "gone", { kind: "destroy" }))
      assert.strictEqual(state.status, "completed")
      assert.deepStrictEqual(statuses(state), ["db destroyed", "api destroyed", "web destroyed"])
      assert.deepStrictEqual(
        cloud.ledger.filter(({ operation }) => operation === "destroy").map(({ stack }) => stack),
        ["web", "api", "db"]
      )
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "destroyed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("destroying a destroyed stack is harmless", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(chain(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "gone", { kind: "destroy" }))
      const again = yield* carryOut(requestOf(manifest, deploymentId, "gone-again", { kind: "destroy" }))
      assert.strictEqual(again.status, "completed")
      const back = yield* carryOut(requestOf(manifest, deploymentId, "back", { version: "2.0.0" }))
      assert.strictEqual(back.status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("stops at a stack that cannot be removed, and leaves its dependencies", () => {
    const { cloud, layer } = world()
    cloud.fail({ operation: "destroy", stack: "api", reason: { _tag: "Denied", message: "no permission" } })
    return Effect.gen(function* () {
      const manifest = manifestOf(chain(), cloud)
      const deploymentId = yield* deployed(manifest)
      const state = yield* carryOut(requestOf(manifest, deploymentId, "gone", { kind: "destroy" }))
      assert.strictEqual(state.status, "failed")
      assert.deepStrictEqual(statuses(state), ["db deployed", "api failed", "web destroyed"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("one stack's commands never touch the deployment's status", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(chain(), cloud)
      const deploymentId = yield* deployed(manifest)
      const status = Effect.map(store.environment(deploymentId, production), (environment) => environment?.status)
      for (const [id, kind] of [
        ["one", "deploy-stack"],
        ["two", "destroy-stack"]
      ] as const) {
        const state = yield* carryOut(
          requestOf(manifest, deploymentId, id, { kind, version: "2.0.0", stacks: ["web" as never] })
        )
        assert.strictEqual(state.status, "completed")
        assert.strictEqual(yield* status, "deployed")
        const events = yield* store.events({ stream: id as CorrelationId, tags: ["DeploymentTransitioned"] })
        assert.deepStrictEqual(events, [])
      }
    }).pipe(Effect.provide(layer))
  })
})
