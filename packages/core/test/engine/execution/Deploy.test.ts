import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { DeploymentStore } from "@signalbox/core/spi"
import { Effect } from "effect"
import { carryOut, config, deployed, gate, manifestOf, production, requestOf, statuses, world } from "../support.ts"

describe("deploy", () => {
  it.effect("brings every stack in after its dependencies, and completes", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const deploymentId = yield* deployed(manifestOf(config(), cloud))
      const state = yield* store.execution("first" as never)
      assert.deepStrictEqual(statuses(state!), ["db deployed", "api deployed", "web deployed"])
      assert.deepStrictEqual(
        state!.stages.map(({ name, status }) => `${name} ${status}`),
        ["initialization succeeded", "health_check succeeded", "deployment succeeded", "validation succeeded"]
      )
      assert.deepStrictEqual(
        cloud.ledger.filter(({ operation }) => operation === "stage").map(({ stack }) => stack),
        ["db", "api", "web"]
      )
      const environment = yield* store.environment(deploymentId, production)
      assert.strictEqual(environment?.status, "deployed")
      assert.strictEqual(environment?.current, null)
    }).pipe(Effect.provide(layer))
  })

  it.effect("starts each stack when its own dependencies are done, not in waves", () => {
    const { cloud, layer } = world()
    cloud.script("slow", "*", { stageMillis: 60_000 })
    cloud.script("quick", "*", { stageMillis: 1_000 })
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      yield* deployed(
        manifestOf(
          config({
            stacks: [
              { name: "slow", provider: "simulated", gate },
              { name: "quick", provider: "simulated", gate },
              { name: "after-quick", provider: "simulated", dependsOn: ["quick"], gate },
              { name: "after-both", provider: "simulated", dependsOn: ["quick", "slow"], gate }
            ]
          }),
          cloud
        )
      )
      const state = yield* store.execution("first" as never)
      const started = (name: string) =>
        state!.stacks.find((stack) => stack.name === name)!.stages.find((stage) => stage.name === "deployment")!
      assert.isBelow(started("after-quick").finishedAt!, started("slow").finishedAt!)
      assert.isAtLeast(started("after-both").startedAt!, started("slow").finishedAt!)
    }).pipe(Effect.provide(layer))
  })

  it.effect("works on no more stacks at once than parallelism allows", () => {
    const { cloud, layer } = world()
    cloud.script("*", "*", { stageMillis: 10_000 })
    const names = ["a", "b", "c", "d", "e", "f"]
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      yield* deployed(
        manifestOf(
          config({ parallelism: 2, stacks: names.map((name) => ({ name, provider: "simulated", gate })) as never }),
          cloud
        )
      )
      const state = yield* store.execution("first" as never)
      const spans = state!.stacks.map(({ stages }) => stages.find(({ name }) => name === "deployment")!)
      for (const { startedAt } of spans) {
        const working = spans.filter((span) => span.startedAt! <= startedAt! && startedAt! < span.finishedAt!)
        assert.isAtMost(working.length, 2)
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("hands the outputs of one stack to the properties of the next", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      yield* deployed(
        manifestOf(
          config({
            stacks: [
              { name: "api", provider: "simulated", gate },
              {
                name: "web",
                provider: "simulated",
                dependsOn: ["api"],
                gate,
                properties: { upstream: { $output: "api.url" } }
              }
            ]
          }),
          cloud
        )
      )
      const events = yield* store.events({ stream: "first", tags: ["StackPlanned"] })
      assert.deepStrictEqual(
        events.map(({ event }) => (event._tag === "StackPlanned" ? event.stack : "")),
        ["api", "web"]
      )
      const state = yield* store.execution("first" as never)
      assert.isString(state!.stacks[0]!.outputs["url"])
      assert.deepStrictEqual(statuses(state!), ["api deployed", "web deployed"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("knows the earlier outputs if one stack is deployed, or all are destroyed", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(
        config({
          stacks: [
            { name: "api", provider: "simulated", gate },
            {
              name: "web",
              provider: "simulated",
              dependsOn: ["api"],
              gate,
              properties: { upstream: { $output: "api.url" } }
            }
          ]
        }),
        cloud
      )
      const deploymentId = yield* deployed(manifest)
      const stacks = ["web" as never]
      const one = yield* carryOut(
        requestOf(manifest, deploymentId, "one", { kind: "deploy-stack", version: "2.0.0", stacks })
      )
      assert.strictEqual(one.status, "completed")
      const gone = yield* carryOut(requestOf(manifest, deploymentId, "gone", { kind: "destroy" }))
      assert.strictEqual(gone.status, "completed")
      assert.deepStrictEqual(statuses(gone), ["api destroyed", "web destroyed"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("leaves a stack alone that has nothing to change", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(config(), cloud)
      const deploymentId = yield* deployed(manifest)
      const before = cloud.ledger.length
      const again = yield* carryOut(requestOf(manifest, deploymentId, "again"))
      assert.strictEqual(again.status, "completed")
      assert.strictEqual(cloud.ledger.length, before)
      assert.deepStrictEqual(
        again.stacks[0]!.stages.map(({ status }) => status),
        ["succeeded", "succeeded", "skipped", "skipped"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("takes the old release away only after the new one is validated", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(config(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      const store = yield* DeploymentStore
      const events = yield* store.events({ stream: "second" })
      const seqOf = (id: string) => events.find((event) => event.id === id)!.seq
      for (const stack of ["db", "api", "web"]) {
        assert.isAbove(seqOf(`intent/retire/${stack}/0#1`), seqOf(`receipt/watch/${stack}/validation/1#1`))
      }
      const ref = { deploymentId, environment: production, stack: "web" as never, properties: {} }
      const { releases } = yield* cloud.inspect(ref)
      assert.strictEqual(releases.length, 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("retries retryable errors and fails on others", () => {
    const { cloud, layer } = world()
    cloud.fail({
      operation: "stage",
      stack: "db",
      reason: { _tag: "Throttled", message: "slow down", retryAfterMs: 500 }
    })
    cloud.fail({ operation: "shift", stack: "db", reason: { _tag: "Unavailable", message: "no answer" }, after: true })
    return Effect.gen(function* () {
      yield* deployed(manifestOf(config(), cloud))
      assert.strictEqual(cloud.calls("stage", "db"), 2)
      assert.strictEqual(
        cloud.ledger.filter(({ operation, stack }) => operation === "shift" && stack === "db").length,
        1
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("is blocked by a foreign operation in progress", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(config(), cloud)
      const deploymentId = yield* deployed(manifest)
      const ref = { deploymentId, environment: production, stack: "api" as never, properties: {} }
      yield* cloud.foreign(ref, { description: "a console update", millis: 600_000 })
      const before = cloud.ledger.length
      const state = yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      assert.strictEqual(state.status, "failed")
      assert.strictEqual(state.error?.code, "stack_busy")
      assert.strictEqual(cloud.ledger.length, before)
      const box = yield* Signalbox
      assert.isUndefined(yield* box.executions.runner("second" as never))
    }).pipe(Effect.provide(layer))
  })
})
