import { assert, describe as group, it } from "@effect/vitest"
import { CorrelationId, DeploymentStore } from "@signalbox/core/spi"
import { describe } from "@signalbox/core/text"
import { Effect } from "effect"
import { canary, carryOut, deployed, manifestOf, requestOf, world } from "../support.ts"

const id = CorrelationId.make("second")

group("the progress of a provider", () => {
  it.effect("is kept under the ids of its events, and the first failure is shown first", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      cloud.script("web", "2.0.0", { broken: "no capacity" })
      const state = yield* carryOut(requestOf(manifest, deploymentId, id, { version: "2.0.0" }))
      const events = yield* store.events({ stream: id, tags: ["ProgressReported"] })
      const told = events.flatMap(({ event, id }) => (event._tag === "ProgressReported" ? [{ ...event, id }] : []))
      assert.isAbove(told.length, 2)
      assert.isTrue(told.every(({ id }) => id.startsWith("seen/web/event/web-")))
      assert.isTrue(told.every(({ happenedAt }) => happenedAt !== undefined))
      const [failed, ...others] = told.filter((event) => event.failed === true)
      assert.strictEqual(others.length, 0)
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(
        describe(state.error!).message,
        `web: ${failed?.resource} (release) failed: stage failed: no capacity; no capacity`
      )
    }).pipe(Effect.provide(layer))
  })
})
