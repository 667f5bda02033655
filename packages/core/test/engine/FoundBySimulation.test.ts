import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import {
  CorrelationId,
  DeploymentId,
  DeploymentStore,
  LeaseStore,
  type Manifest,
  type Provider,
  Providers,
  StackName
} from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { SimulatedProvider } from "@signalbox/core/testing"
import { Deferred, Duration, Effect, Fiber, Layer, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import { queuePosition } from "../../src/engine/queue/QueuePosition.ts"
import * as LeaseKeeper from "../../src/engine/lease/LeaseKeeper.ts"
import {
  carryOut,
  config,
  deployed,
  drive,
  gate,
  manifestOf,
  pass,
  production,
  requestOf,
  settle,
  versions,
  world
} from "./support.ts"

const web = config({ stacks: [{ name: "web", provider: "simulated", gate }] })
const two = config({
  stacks: [
    { name: "db", provider: "simulated", gate },
    { name: "web", provider: "simulated", gate }
  ]
})

describe("what the simulation found", () => {
  it.effect("a rollback after a destruction is rejected: there is nothing to roll back", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(web, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      yield* carryOut(requestOf(manifest, deploymentId, "gone", { kind: "destroy" }))
      const refused = yield* Effect.flip(
        box.executions.submit(requestOf(manifest, deploymentId, "back", { kind: "rollback" }))
      )
      assert.strictEqual(refused._tag === "Rejected" ? refused.code : "", "nothing_to_roll_back")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a pause that comes when nothing is left to do lets the execution complete", () => {
    const { cloud, layer } = world({ capabilities: SimulatedProvider.shapes.transactional })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(web, cloud)
      const deploymentId = yield* deployed(manifest)
      const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
      yield* box.executions.submit(request)
      const running = yield* Effect.forkChild(box.executions.run(request.correlationId))
      const validating = Effect.map(
        store.execution(request.correlationId),
        (state) => state?.stages.some(({ name, status }) => name === "validation" && status === "running") === true
      )
      yield* pass(running, { until: validating })
      yield* box.executions.command(request.correlationId, { command: "pause", by: "tester" })
      const state = yield* drive(running)
      assert.strictEqual(state.status, "completed")
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deployed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a defect ends the execution even if earlier events are not written yet", () => {
    const cloud = SimulatedProvider.make()
    const mistake = Effect.delay(Effect.die(new Error("a mistake in the adapter")), "10 millis")
    const provider: Provider = {
      ...cloud.provider,
      observe: (ref) => (ref.stack === "web" ? mistake : cloud.provider.observe(ref))
    }
    const slow = Layer.effect(
      DeploymentStore,
      Effect.map(DeploymentStore, (store) =>
        DeploymentStore.of({ ...store, append: (append) => Effect.delay(store.append(append), "50 millis") })
      )
    )
    const layer = Signalbox.layer.pipe(
      Layer.provideMerge(slow),
      Layer.provideMerge(layerMemory),
      Layer.provideMerge(Providers.layer([provider]))
    )
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(two, cloud)
      const deploymentId = DeploymentId.make("DTEST01")
      yield* drive(yield* Effect.forkChild(box.deployments.init({ manifest, by: "tester", deploymentId })))
      const request = requestOf(manifest, deploymentId, "first")
      yield* drive(yield* Effect.forkChild(box.executions.submit(request)))
      const state = yield* drive(yield* Effect.forkChild(box.executions.run(request.correlationId)))
      assert.strictEqual(state.status, "failed")
      assert.strictEqual(state.error?.code, "defect")
      assert.isNull((yield* store.environment(deploymentId, production))?.current)
    }).pipe(Effect.provide(layer))
  })

  it.effect("an answer about the lease that a stopped process reads when it wakes is no leave to call", () => {
    const lease = { key: "lock", holder: "second", owner: "runner", fence: 4, acquiredAt: 0, expiresAt: 6_000 }
    // The store said yes in time; the process read it, and renewed, ten seconds later.
    const stopped = Layer.mock(LeaseStore, {
      check: () => Effect.sleep("10 seconds"),
      renew: () => Effect.never,
      release: () => Effect.void
    })
    return Effect.gen(function* () {
      const kept = yield* LeaseKeeper.keep(lease, Duration.seconds(6))
      const checking = yield* Effect.forkChild(Effect.flip(kept.check))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(checking))._tag, "LeaseLost")
    }).pipe(Effect.scoped, Effect.provide(stopped))
  })

  it.effect("an abort rolls back even if another stack failed before and automatic rollback is off", () => {
    const { cloud, layer } = world()
    cloud.script("db", "2.0.0", { broken: "exits with 1" })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(
        config({
          rollback: false,
          stacks: [
            { name: "db", provider: "simulated", gate },
            {
              name: "web",
              provider: "simulated",
              gate,
              strategy: { type: "canary", steps: [{ weight: 10, bake: "1 minute" }] }
            }
          ]
        }),
        cloud
      )
      const deploymentId = yield* deployed(manifest)
      const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
      yield* box.executions.submit(request)
      const running = yield* Effect.forkChild(box.executions.run(request.correlationId))
      const underWay = Effect.map(
        store.execution(request.correlationId),
        (state) => state?.stacks[0]?.status === "failed" && state.stacks[1]?.candidateTraffic === 10
      )
      yield* pass(running, { until: underWay })
      yield* box.executions.command(request.correlationId, { command: "abort", by: "tester" })
      const state = yield* drive(running)
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(state.error?.code, "aborted")
      assert.deepStrictEqual(versions(state), ["db 1.0.0", "web 1.0.0"])
      const next = yield* carryOut(requestOf(manifest, deploymentId, "third", { version: "3.0.0" }))
      assert.strictEqual(next.status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "a runner that resumes in the middle of a rollback does not fail the stack again that failed before",
    () => {
      const cloud = SimulatedProvider.make()
      cloud.script("db", "2.0.0", { broken: "exits with 1" })
      const provider: Provider = {
        ...cloud.provider,
        rollback: (...given) => Effect.delay(cloud.provider.rollback(...given), "10 seconds")
      }
      const layer = Signalbox.layer.pipe(
        Layer.provideMerge(layerMemory),
        Layer.provideMerge(Providers.layer([provider]))
      )
      return Effect.gen(function* () {
        const box = yield* Signalbox
        const store = yield* DeploymentStore
        const strategy = { type: "canary", steps: [{ weight: 10, bake: "1 minute" }] } as const
        const stacks = [
          { name: "db", provider: "simulated", gate },
          { name: "web", provider: "simulated", gate, strategy }
        ] as const
        const manifest = manifestOf(config({ rollback: false, stacks }), cloud)
        const deploymentId = yield* deployed(manifest)
        const { correlationId } = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
        yield* box.executions.submit(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
        const db = Effect.map(store.execution(correlationId), (state) =>
          state?.stacks.find(({ name }) => name === "db")
        )
        const first = yield* Effect.forkChild(box.executions.run(correlationId))
        yield* pass(first, { until: Effect.map(db, (stack) => stack?.status === "failed") })
        yield* box.executions.command(correlationId, { command: "abort", by: "tester" })
        yield* pass(first, { until: Effect.map(db, (stack) => stack?.status === "rolling_back") })
        yield* Fiber.interrupt(first)
        const state = yield* drive(yield* Effect.forkChild(box.executions.run(correlationId)))
        assert.strictEqual(state.status, "rolled_back")
        assert.deepStrictEqual(versions(state), ["db 1.0.0", "web 1.0.0"])
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("a request whose lease becomes free starts from what the previous one left, and supersedes none", () => {
    const cloud = SimulatedProvider.make()
    cloud.script("web", "2.0.0", { stageMillis: 5_000 })
    const go = Deferred.makeUnsafe<void>()
    let asks = false
    const waiting = Layer.effect(
      LeaseStore,
      Effect.map(LeaseStore, (leases) =>
        LeaseStore.of({
          ...leases,
          get: (key) => Effect.andThen(asks ? Deferred.await(go) : Effect.void, leases.get(key)),
          acquire: (options) =>
            Effect.andThen(options.holder === "third" ? Deferred.await(go) : Effect.void, leases.acquire(options))
        })
      )
    )
    const layer = Signalbox.layer.pipe(
      Layer.provide(waiting),
      Layer.provideMerge(layerMemory),
      Layer.provideMerge(Providers.layer([cloud.provider]))
    )
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(web, cloud)
      const deploymentId = yield* deployed(manifest)
      const second = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
      yield* box.executions.submit(second)
      const running = yield* Effect.forkChild(box.executions.run(second.correlationId))
      const underWay = Effect.map(
        store.environment(deploymentId, production),
        (environment) => environment?.stacks[0]?.status === "deploying"
      )
      yield* pass(running, { until: underWay })
      assert.isTrue(yield* underWay)
      const third = requestOf(manifest, deploymentId, "third", { version: "3.0.0" })
      asks = true
      const submitting = yield* Effect.forkChild(box.executions.submit(third))
      yield* drive(running)
      yield* Deferred.succeed(go, undefined)
      const { execution } = yield* drive(submitting)
      assert.isUndefined(execution.supersedes)
      assert.deepStrictEqual(versions(execution), ["web 2.0.0"])
      const state = yield* drive(yield* Effect.forkChild(box.executions.run(third.correlationId)))
      assert.strictEqual(state.status, "completed")
    }).pipe(Effect.provide(layer))
  })

  /** Submits a queued request. */
  const ask = (
    manifest: Manifest,
    deploymentId: DeploymentId,
    name: string,
    changes: Parameters<typeof requestOf>[3] = {}
  ) =>
    Effect.gen(function* () {
      const box = yield* Signalbox
      const request = requestOf(manifest, deploymentId, name, { version: "2.0.0", queue: "fifo", ...changes })
      yield* box.executions.submit(request)
      return request.correlationId
    })

  it.effect("the latest wins even if the submitter died before the others were withdrawn", () => {
    const cloud = SimulatedProvider.make()
    let broken = false
    const dying = Layer.effect(
      DeploymentStore,
      Effect.map(DeploymentStore, (store) =>
        DeploymentStore.of({
          ...store,
          append: (append) =>
            broken && append.events.some(({ id }) => id === "closing/execution")
              ? Effect.die(new Error("killed"))
              : store.append(append)
        })
      )
    ).pipe(Layer.provideMerge(layerMemory))
    const layer = Signalbox.layer.pipe(Layer.provideMerge(dying), Layer.provideMerge(Providers.layer([cloud.provider])))
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(web, cloud)
      const deploymentId = yield* deployed(manifest)
      const second = yield* ask(manifest, deploymentId, "second")
      broken = true
      yield* Effect.exit(ask(manifest, deploymentId, "third", { queue: "latest_wins" }))
      broken = false
      assert.strictEqual((yield* store.execution(second))?.status, "queued")
      const third = yield* drive(yield* Effect.forkChild(box.executions.run(CorrelationId.make("third"))))
      assert.strictEqual(third.status, "completed")
      const overtaken = yield* store.execution(second)
      assert.deepStrictEqual([overtaken?.status, overtaken?.error?.code], ["cancelled", "overtaken"])
    }).pipe(Effect.provide(layer))
  })

  /** A store of leases in which the lock comes only when it is let go. */
  const slowLock = (holder: string) => {
    const go = Deferred.makeUnsafe<void>()
    const asked = Deferred.makeUnsafe<void>()
    const cloud = SimulatedProvider.make()
    const leases = Layer.effect(
      LeaseStore,
      Effect.map(LeaseStore, (leases) =>
        LeaseStore.of({
          ...leases,
          acquire: (options) =>
            options.holder === holder
              ? Deferred.succeed(asked, undefined).pipe(
                  Effect.andThen(Deferred.await(go)),
                  Effect.andThen(leases.acquire(options))
                )
              : leases.acquire(options)
        })
      )
    )
    const layer = Signalbox.layer.pipe(
      Layer.provide(leases),
      Layer.provideMerge(layerMemory),
      Layer.provideMerge(Providers.layer([cloud.provider]))
    )
    return { asked: Deferred.await(asked), cloud, go: Deferred.succeed(go, undefined), layer }
  }

  it.effect("a process that slept before it acquired the lease lets requests go first that came meanwhile", () => {
    const { asked, cloud, go, layer } = slowLock("third")
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(web, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* carryOut(requestOf(manifest, deploymentId, "second", { version: "2.0.0" }))
      const third = yield* ask(manifest, deploymentId, "third", { version: "3.0.0" })
      const running = yield* Effect.forkChild(box.executions.run(third))
      yield* asked
      const back = yield* ask(manifest, deploymentId, "back", { kind: "rollback" })
      yield* go
      const going = yield* Effect.forkChild(box.executions.run(back))
      const [after, first] = yield* drive(yield* Effect.forkChild(Effect.all([Fiber.join(running), Fiber.join(going)])))
      assert.deepStrictEqual([first.status, after.status], ["completed", "completed"])
      assert.isAtLeast(after.turnAt!, first.finishedAt!)
    }).pipe(Effect.provide(layer))
  })

  it.effect("a process that slept before it acquired the lease respects a lock that came meanwhile", () => {
    const { asked, cloud, go, layer } = slowLock("second")
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(web, cloud)
      const deploymentId = yield* deployed(manifest)
      const second = yield* ask(manifest, deploymentId, "second")
      const running = yield* Effect.forkChild(box.executions.run(second))
      yield* asked
      const held = { environment: production, reason: "the database is moved", by: "ada" }
      yield* box.coordination.decide(deploymentId, { _tag: "EnvironmentLocked", ...held })
      yield* go
      yield* settle
      yield* TestClock.adjust("5 seconds")
      assert.isUndefined((yield* store.execution(second))?.turnAt)
      yield* box.coordination.decide(deploymentId, { _tag: "EnvironmentUnlocked", ...held })
      assert.strictEqual((yield* drive(running)).status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect(
    "a process that slept before it acquired the lease and would not wait is rejected by a lock that came meanwhile",
    () => {
      const { asked, cloud, go, layer } = slowLock("second")
      return Effect.gen(function* () {
        const box = yield* Signalbox
        const leases = yield* LeaseStore
        const manifest = manifestOf(web, cloud)
        const deploymentId = yield* deployed(manifest)
        const request = requestOf(manifest, deploymentId, "second", { version: "2.0.0" })
        const submitting = yield* Effect.forkChild(Effect.flip(box.executions.submit(request)))
        yield* asked
        const held = { environment: production, reason: "the database is moved", by: "ada" }
        yield* box.coordination.decide(deploymentId, { _tag: "EnvironmentLocked", ...held })
        yield* go
        const refused = yield* drive(submitting)
        assert.strictEqual(refused._tag === "Rejected" ? refused.code : refused._tag, "blocked_by_lock")
        assert.strictEqual((yield* leases.get(`environment/${deploymentId}/production`))?.expiresAt, 0)
      }).pipe(Effect.provide(layer))
    }
  )

  it.effect("a stack that needs another does not wait if only a later request could deploy that", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(config(), cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      const alone = { kind: "deploy-stack", stacks: [StackName.make("web")] } as const
      const first = yield* Effect.forkChild(box.executions.run(yield* ask(manifest, deploymentId, "alone", alone)))
      const second = yield* Effect.forkChild(box.executions.run(yield* ask(manifest, deploymentId, "all")))
      const state = yield* drive(first)
      assert.deepStrictEqual([state.status, state.error?.code], ["cancelled", "blocked_by_dependency"])
      assert.strictEqual(state.error?.params.stack, "api")
      assert.strictEqual((yield* drive(second)).status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a lease is certainly held until a time that counts from before the request", () =>
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const options = { key: "lock", holder: "second", owner: "runner", ttl: Duration.seconds(6) }
      const lease = yield* leases.acquire(options)
      // The answer took its time.
      yield* TestClock.adjust("2 seconds")
      const kept = yield* LeaseKeeper.keep(lease, options.ttl, 0)
      assert.strictEqual(yield* SubscriptionRef.get(kept.deadline), lease.expiresAt)
    }).pipe(Effect.scoped, Effect.provide(layerMemory))
  )

  it.effect("a process that slept while cleaning up writes nothing once its claim is over", () => {
    const cloud = SimulatedProvider.make()
    let asleep = false
    const sleepy = Layer.effect(
      DeploymentStore,
      Effect.map(DeploymentStore, (store) =>
        DeploymentStore.of({
          ...store,
          append: (append) =>
            Effect.andThen(
              Effect.suspend(() => (asleep ? Effect.sleep("30 seconds") : Effect.void)),
              store.append(append)
            )
        })
      )
    )
    const layer = Signalbox.layer.pipe(
      Layer.provideMerge(sleepy),
      Layer.provideMerge(layerMemory),
      Layer.provideMerge(Providers.layer([cloud.provider]))
    )
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(web, cloud)
      const deploymentId = yield* deployed(manifest)
      const second = yield* ask(manifest, deploymentId, "second")
      yield* drive(yield* Effect.forkChild(box.coordination.waitForAdmission(second, { hold: Duration.seconds(20) })))
      asleep = true
      const cleaning = yield* Effect.forkChild(
        Effect.flip(box.coordination.cleanup(second, { status: "failed", by: "ada" }))
      )
      const refused = yield* drive(cleaning)
      assert.strictEqual(refused._tag === "Rejected" ? refused.code : refused._tag, "still_running")
      assert.strictEqual((yield* store.execution(second))?.status, "queued")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a request counts as waiting while the claim goes from the submitter to the runner", () => {
    const cloud = SimulatedProvider.make()
    let handed = false
    const handing = Layer.effect(
      LeaseStore,
      Effect.map(LeaseStore, (leases) =>
        LeaseStore.of({
          ...leases,
          check: (lease) =>
            Effect.gen(function* () {
              if (!handed) {
                handed = true
                const { fence, key } = lease
                yield* leases
                  .acquire({ key, holder: "its runner", owner: "runner", ttl: Duration.seconds(10), evict: fence })
                  .pipe(Effect.catchTag("LeaseHeld", Effect.die))
              }
              yield* leases.check(lease)
            })
        })
      )
    ).pipe(Layer.provideMerge(layerMemory))
    const layer = Signalbox.layer.pipe(
      Layer.provideMerge(handing),
      Layer.provideMerge(Providers.layer([cloud.provider]))
    )
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(web, cloud)
      handed = true
      const deploymentId = yield* deployed(manifest)
      handed = false
      yield* ask(manifest, deploymentId, "second")
      const third = yield* store.execution(yield* ask(manifest, deploymentId, "third"))
      assert.deepStrictEqual(yield* queuePosition(third!), { places: 1, isNext: false })
      assert.isTrue(handed)
    }).pipe(Effect.provide(layer))
  })
})
