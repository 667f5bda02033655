import { assert, describe, it } from "@effect/vitest"
import { CorrelationId, type DeploymentId, DeploymentStore, type OnBusy, StackName } from "@signalbox/core/spi"
import { describeCause } from "@signalbox/core/text"
import { Clock, Effect } from "effect"
import { carryOut, config, deployed, gate, manifestOf, production, requestOf, world } from "../support.ts"

const id = CorrelationId.make("second")
const minute = 60_000
const description = "console update"
const one = (onBusy?: OnBusy) =>
  config({
    stacks: [
      { name: "web", provider: "simulated", gate, timeout: "20 minutes", ...(onBusy === undefined ? {} : { onBusy }) }
    ]
  })
const at = (deploymentId: DeploymentId) => ({
  deploymentId,
  environment: production,
  stack: StackName.make("web"),
  properties: {}
})
const long = { limit: 3_600, tick: 1_000 }

describe("a foreign operation in progress", () => {
  it.effect("blocks an execution at once", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(one(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* cloud.foreign(at(deploymentId), { description, millis: 5 * minute })
      const began = yield* Clock.currentTimeMillis
      const { error, status } = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }))
      assert.deepStrictEqual([status, error?.code, error?.detail], ["failed", "stack_busy", description])
      assert.isBelow((yield* Clock.currentTimeMillis) - began, minute)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is waited for where that is configured, and says what is waited for, once", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(one("wait"), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* cloud.foreign(at(deploymentId), { description, millis: 15 * minute })
      const state = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }), long)
      assert.strictEqual(state.status, "completed")
      const store = yield* DeploymentStore
      const told = (yield* store.events({ stream: id, tags: ["ProgressReported"] })).flatMap(({ event }) =>
        event._tag === "ProgressReported" && event.cause !== undefined ? [describeCause(event.cause)] : []
      )
      assert.strictEqual(told.length, 1)
      assert.include(told[0], `waits for ${description} to finish (in progress since `)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is waited for in the middle of a deployment and of a rollback too", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(one("wait"), cloud)
      const deploymentId = yield* deployed(manifest)
      const reason = { _tag: "Busy", message: "busy", operation: description } as const
      const until = (yield* Clock.currentTimeMillis) + 5 * minute
      cloud.fail({ operation: "shift", times: Infinity, until, reason })
      cloud.fail({ operation: "rollback", times: Infinity, until: until + 15 * minute, reason })
      const forth = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }), long)
      assert.strictEqual(forth.status, "completed")
      const back = CorrelationId.make("back")
      const last = yield* carryOut(requestOf(manifest, deploymentId, back, { kind: "rollback" }), long)
      assert.strictEqual(last.status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("is waited for within the timeout of the stack, and then named", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(one("wait"), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* cloud.foreign(at(deploymentId), { description, millis: 60 * minute })
      const began = yield* Clock.currentTimeMillis
      const { error, status } = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }), long)
      assert.deepStrictEqual([status, error?.code, error?.detail], ["failed", "stack_busy", description])
      const took = (yield* Clock.currentTimeMillis) - began
      assert.isAtLeast(took, 19 * minute)
      assert.isAtMost(took, 21 * minute)
    }).pipe(Effect.provide(layer))
  })
})
