import { assert, describe, it } from "@effect/vitest"
import { Reconciling, Signalbox } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore } from "@signalbox/core/spi"
import { Effect } from "effect"
import { config, deployed, manifestOf, production, world } from "./support.ts"

describe("what was done while the registry was away", () => {
  it.effect("is recorded once, with its times, and leaves the deployment unknown", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const box = yield* Signalbox
      const deploymentId = yield* deployed(manifestOf(config(), cloud))
      const before = yield* store.environment(deploymentId, production)
      const done: Reconciling.Degraded = {
        correlationId: CorrelationId.make("away"),
        deploymentId,
        environment: production,
        command: "make deploy",
        by: "tester",
        reason: "the database did not answer",
        startedAt: before!.updatedAt + 1_000,
        finishedAt: before!.updatedAt + 5_000,
        code: 0,
        signal: null
      }
      assert.isTrue(yield* Reconciling.reconcile(done))
      assert.isFalse(yield* Reconciling.reconcile(done))
      const state = yield* store.execution(done.correlationId)
      assert.deepStrictEqual(
        [state?.kind, state?.status, state?.exit?.code, state?.startedAt, state?.finishedAt],
        ["observe", "completed", 0, done.startedAt, done.finishedAt]
      )
      const after = yield* store.environment(deploymentId, production)
      assert.deepStrictEqual([after?.status, after?.current, after?.last], ["unknown", null, "first"])
      assert.isUndefined(yield* box.runner(done.correlationId))
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not take back what was seen since", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const deploymentId = yield* deployed(manifestOf(config(), cloud))
      yield* Reconciling.reconcile({
        correlationId: CorrelationId.make("away"),
        deploymentId,
        environment: production,
        command: "make deploy",
        by: "tester",
        reason: "the database did not answer",
        startedAt: 0,
        code: null,
        signal: null
      })
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deployed")
      assert.strictEqual((yield* store.execution(CorrelationId.make("away")))?.status, "failed")
    }).pipe(Effect.provide(layer))
  })
})
