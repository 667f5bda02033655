import { assert, describe, it } from "@effect/vitest"
import { type Request } from "@signalbox/core/api"
import { RunnerIdentity, Signalbox } from "@signalbox/core/engine"
import { DeploymentStore, LeaseStore, Providers, StoreError } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Effect, Layer } from "effect"
import { carryOut, config, drive, gate, manifestOf, requestOf, statuses, versions } from "../support.ts"

/** Both stores, until `left` more appends were written; from then on this process is as good as dead. */
const mortal = (life: { left: number }) => {
  const died = Effect.fail(new StoreError({ operation: "test", reason: "Unexpected", detail: "the process died" }))
  const whileAlive = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | StoreError> =>
    Effect.suspend((): Effect.Effect<A, E | StoreError> => (life.left > 0 ? effect : died))
  return Layer.mergeAll(
    Layer.effect(
      DeploymentStore,
      Effect.map(DeploymentStore, (store) =>
        DeploymentStore.of({
          ...store,
          append: (append) => Effect.suspend(() => (life.left-- > 0 ? store.append(append) : died)),
          execution: (id) => whileAlive(store.execution(id))
        })
      )
    ),
    Layer.effect(
      LeaseStore,
      Effect.map(LeaseStore, (leases) =>
        LeaseStore.of({
          ...leases,
          acquire: (options) => whileAlive(leases.acquire(options)),
          renew: (lease, ttl) => whileAlive(leases.renew(lease, ttl)),
          release: (lease) => whileAlive(leases.release(lease)),
          check: (lease) => whileAlive(leases.check(lease))
        })
      )
    )
  )
}

const stacks = config({
  stacks: [
    { name: "db", provider: "simulated", gate },
    {
      name: "web",
      provider: "simulated",
      dependsOn: ["db"],
      gate,
      strategy: { type: "canary", steps: [{ weight: 10, bake: "3 seconds" }] }
    }
  ]
})

interface Scenario {
  readonly cloud?: SimulatedProvider.SimulatedOptions
  readonly script?: (cloud: SimulatedProvider.SimulatedProvider) => void
  readonly request: Partial<Request>
  readonly ends: string
}

const scenarios: Record<string, Scenario> = {
  "a canary that succeeds": { request: { version: "2.0.0" }, ends: "completed" },
  "a canary that goes back": {
    script: (cloud) => cloud.script("web", "3.0.0", { errorRate: 0.5 }),
    request: { version: "3.0.0" },
    ends: "rolled_back"
  },
  "a canary on a platform that names its operations itself": {
    cloud: { handles: true },
    script: (cloud) => cloud.script("*", "2.0.0", { stageMillis: 5_000 }),
    request: { version: "2.0.0" },
    ends: "completed"
  },
  "a rollback": { request: { kind: "rollback" }, ends: "completed" },
  "a destruction": { request: { kind: "destroy" }, ends: "completed" }
}

/**
 * Deploys 1.0.0 and 1.5.0, then runs the scenario, dying after this many appends and resumed by another runner. Returns
 * the final state, and how many appends the scenario takes.
 */
const live = (scenario: Scenario, diesAfter: number) => {
  const cloud = SimulatedProvider.make(scenario.cloud)
  scenario.script?.(cloud)
  const life = { left: Infinity }
  const box = (owner: string, mortality: Layer.Layer<never> | typeof stores) =>
    Signalbox.layer.pipe(
      Layer.provide(mortality),
      Layer.provide(Layer.succeed(RunnerIdentity, { owner, isDead: () => false }))
    )
  const stores = mortal(life)
  return Effect.gen(function* () {
    const manifest = manifestOf(stacks, cloud)
    const deploymentId = yield* Effect.gen(function* () {
      const signalbox = yield* Signalbox
      const { deploymentId } = yield* signalbox.deployments.init({ manifest, by: "tester" })
      yield* carryOut(requestOf(manifest, deploymentId, "first"))
      yield* carryOut(requestOf(manifest, deploymentId, "middle", { version: "1.5.0" }))
      return deploymentId
    }).pipe(Effect.provide(box("setup", Layer.empty)))

    const request = requestOf(manifest, deploymentId, "scenario", scenario.request)
    const before = cloud.ledger.length
    life.left = diesAfter
    const died = yield* carryOut(request).pipe(Effect.result, Effect.provide(box("first", stores)))
    const written = diesAfter - life.left
    life.left = Infinity
    const state = yield* Effect.gen(function* () {
      const signalbox = yield* Signalbox
      yield* signalbox.executions.submit(request)
      return yield* drive(yield* Effect.forkChild(signalbox.executions.run(request.correlationId)))
    }).pipe(Effect.provide(box("second", Layer.empty)))
    const store = yield* DeploymentStore
    const environment = yield* store.environment(deploymentId, state.environment)
    return {
      died: died._tag === "Failure",
      written,
      ledger: cloud.ledger.slice(before),
      end: {
        status: state.status,
        deployment: environment?.status,
        current: environment?.current,
        stacks: statuses(state),
        versions: versions(state),
        stages: state.stages.map(({ name, status }) => `${name} ${status}`)
      }
    }
  }).pipe(Effect.provide(layerMemory.pipe(Layer.provideMerge(Providers.layer([cloud.provider])))))
}

describe("an execution whose runner dies", () => {
  for (const [name, scenario] of Object.entries(scenarios)) {
    it.effect(
      `${name}: ends as if nothing had happened, wherever it dies, and does nothing twice`,
      () =>
        Effect.gen(function* () {
          const twin = yield* live(scenario, 1_000_000)
          assert.strictEqual(twin.end.status, scenario.ends)
          assert.isFalse(twin.died)
          for (let n = 1; n < twin.written; n++) {
            const survivor = yield* live(scenario, n)
            assert.isTrue(survivor.died, `it was to die after ${n} appends`)
            assert.deepStrictEqual(survivor.end, twin.end, `died after ${n} appends`)
            const keys = survivor.ledger.map(({ idempotencyKey }) => idempotencyKey)
            assert.deepStrictEqual(keys, [...new Set(keys)], `died after ${n} appends`)
            assert.deepStrictEqual(
              survivor.ledger.map(({ operation, stack }) => `${operation} ${stack}`).sort(),
              twin.ledger.map(({ operation, stack }) => `${operation} ${stack}`).sort(),
              `died after ${n} appends`
            )
          }
        }),
      120_000
    )
  }
})
