import { assert, describe, it } from "@effect/vitest"
import { Reconciliation, Signalbox } from "@signalbox/core/engine"
import { CorrelationId, type DeploymentId, DeploymentStore, type Environment } from "@signalbox/core/spi"
import { Effect } from "effect"
import { carryOut, config, deployed, drive, manifestOf, pass, production, requestOf, world } from "../support.ts"

const away = (
  deploymentId: DeploymentId,
  changes: Partial<Reconciliation.DegradedRecord> = {}
): Reconciliation.DegradedRecord => ({
  correlationId: CorrelationId.make("away"),
  deploymentId,
  environment: production,
  command: "make deploy",
  by: "tester",
  reason: "the database did not answer",
  startedAt: 1_000_000_000_000,
  code: 0,
  signal: null,
  ...changes
})

describe("work done while the store was unavailable", () => {
  it.effect("is recorded once, with its times, and leaves the deployment unknown", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const box = yield* Signalbox
      const deploymentId = yield* deployed(manifestOf(config(), cloud))
      const before = yield* store.environment(deploymentId, production)
      const [startedAt, finishedAt] = [before!.updatedAt + 1_000, before!.updatedAt + 5_000]
      const done = away(deploymentId, { startedAt, finishedAt })
      assert.isTrue(yield* Reconciliation.reconcile(done))
      assert.isFalse(yield* Reconciliation.reconcile(done))
      const state = yield* store.execution(done.correlationId)
      assert.deepStrictEqual(
        [state?.kind, state?.status, state?.exit?.code, state?.startedAt, state?.finishedAt],
        ["observe", "completed", 0, done.startedAt, done.finishedAt]
      )
      const after = yield* store.environment(deploymentId, production)
      assert.deepStrictEqual([after?.status, after?.current, after?.last], ["unknown", null, "first"])
      assert.isUndefined(yield* box.executions.runner(done.correlationId))
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not revert later observations", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const deploymentId = yield* deployed(manifestOf(config(), cloud))
      yield* Reconciliation.reconcile(away(deploymentId, { startedAt: 0, code: null }))
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deployed")
      assert.strictEqual((yield* store.execution(CorrelationId.make("away")))?.status, "failed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("leaves destroyed stacks as they are", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(config(), cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "gone", { kind: "destroy" }))
      assert.isTrue(yield* Reconciliation.reconcile(away(deploymentId)))
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "destroyed")
      assert.strictEqual((yield* store.execution(CorrelationId.make("away")))?.status, "completed")
    }).pipe(Effect.provide(layer))
  })

  for (const [when, sees] of [
    ["", (environment: Environment.EnvironmentState) => environment],
    // It has begun between the look and the write.
    [
      ", also where it has only just begun",
      (environment: Environment.EnvironmentState) => ({ ...environment, current: null })
    ]
  ] as const) {
    it.effect(`leaves an execution at work alone${when}`, () => {
      const { cloud, layer } = world()
      return Effect.gen(function* () {
        const store = yield* DeploymentStore
        const box = yield* Signalbox
        const manifest = manifestOf(config(), cloud)
        const deploymentId = yield* deployed(manifest)
        yield* box.executions.submit(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
        const running = yield* Effect.forkChild(box.executions.run(CorrelationId.make("second")))
        const isDeploying = Effect.map(
          store.environment(deploymentId, production),
          (environment) => environment?.status === "deploying"
        )
        yield* pass(running, { until: isDeploying })
        const reconciled = yield* Reconciliation.reconcile(away(deploymentId)).pipe(
          Effect.provideService(DeploymentStore, {
            ...store,
            environment: (...place) =>
              Effect.map(store.environment(...place), (found) => (found === undefined ? found : sees(found)))
          })
        )
        assert.isTrue(reconciled)
        assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deploying")
        assert.strictEqual((yield* drive(running)).status, "completed")
        assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deployed")
      }).pipe(Effect.provide(layer))
    })
  }
})
