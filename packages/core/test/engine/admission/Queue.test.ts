import { errorInfo } from "@signalbox/core/spi"
import { assert, describe, it } from "@effect/vitest"
import { type Config } from "@signalbox/core/config"
import { RunnerIdentity, Signalbox } from "@signalbox/core/engine"
import {
  CorrelationId,
  type DeploymentId,
  DeploymentStore,
  type Execution,
  LeaseStore,
  type Manifest,
  StoreError
} from "@signalbox/core/spi"
import { Clock, Duration, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import { claimExecution } from "../../../src/engine/lease/Claim.ts"
import * as Runner from "../../../src/engine/execution/Runner.ts"
import { waitForAdmission, withdrawAfter } from "../../../src/engine/admission/Admission.ts"
import {
  begin,
  canary,
  config,
  deployed,
  drive,
  gate,
  manifestOf,
  pass,
  production,
  requestOf,
  settle,
  world
} from "../support.ts"

const id = (name: string) => CorrelationId.make(name)

const queued = (
  manifest: Manifest,
  deploymentId: DeploymentId,
  name: string,
  changes: Parameters<typeof requestOf>[3] = {}
) => requestOf(manifest, deploymentId, name, { version: `${name}.0.0`, queue: "fifo", ...changes })

/** The executions in the order in which their turns came. */
const turns = (states: ReadonlyArray<Execution.ExecutionState>) =>
  states
    .toSorted((left, right) => left.startedAt! - right.startedAt!)
    .map(({ correlationId, status }) => `${correlationId} ${status}`)

describe("the queue", () => {
  it.effect("admits one after the other, in the order of the requests", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const fibers = []
      for (const name of ["a", "b", "c"]) fibers.push(yield* begin(queued(manifest, deploymentId, name)))
      const states = yield* drive(yield* Effect.forkChild(Fiber.joinAll(fibers)))
      assert.deepStrictEqual(turns(states), ["a completed", "b completed", "c completed"])
      for (const [index, later] of states.slice(1).entries()) {
        assert.isAtLeast(later.startedAt!, states[index]!.finishedAt!)
      }
      // b starts from what a left, not from the state at its request.
      assert.strictEqual(states[1]?.stacks[0]?.checkpoint?.release?.version, "a.0.0")
    }).pipe(Effect.provide(layer))
  })

  it.effect("lets a rollback go first", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const fibers = []
      for (const name of ["a", "b"]) fibers.push(yield* begin(queued(manifest, deploymentId, name)))
      fibers.push(yield* begin(queued(manifest, deploymentId, "back", { kind: "rollback" })))
      const states = yield* drive(yield* Effect.forkChild(Fiber.joinAll(fibers)))
      assert.deepStrictEqual(turns(states), ["a completed", "back completed", "b completed"])
      assert.deepStrictEqual(states[2]?.stacks[0]?.release?.version, "1.0.0")
    }).pipe(Effect.provide(layer))
  })

  it.effect("replaces waiting requests with `latest_wins`", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const fibers = []
      for (const name of ["a", "b"]) fibers.push(yield* begin(queued(manifest, deploymentId, name)))
      fibers.push(yield* begin(queued(manifest, deploymentId, "c", { queue: "latest_wins" })))
      const states = yield* drive(yield* Effect.forkChild(Fiber.joinAll(fibers)))
      assert.deepStrictEqual(
        states.map(({ error, status }) => [status, error?.code]),
        [
          ["completed", undefined],
          ["cancelled", "overtaken"],
          ["completed", undefined]
        ]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("rejects a request that would not wait behind others", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const leases = yield* LeaseStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(queued(manifest, deploymentId, "a"))
      const refused = yield* Effect.flip(
        box.executions.submit(queued(manifest, deploymentId, "b", { queue: "reject" }))
      )
      assert.strictEqual(refused._tag === "Rejected" ? refused.code : refused._tag, "blocked_by_queue")
      // A request that is not run holds up others no longer than its runner needs to start.
      yield* TestClock.adjust("11 seconds")
      assert.isUndefined((yield* leases.list)[0])
      yield* box.executions.submit(queued(manifest, deploymentId, "b", { queue: "reject" }))
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps the position of a request whose process died, and lets others pass meanwhile", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const a = yield* begin(queued(manifest, deploymentId, "a"))
      // b is registered, and no process waits with it.
      yield* box.executions.submit(queued(manifest, deploymentId, "b"))
      yield* TestClock.adjust("12 seconds")
      const c = yield* begin(queued(manifest, deploymentId, "c"))
      const d = yield* begin(queued(manifest, deploymentId, "d"))
      yield* pass(c, { until: Effect.map(store.execution(id("c")), (state) => state?.startedAt !== undefined) })
      const b = yield* Effect.forkChild(box.executions.run(id("b")))
      const states = yield* drive(yield* Effect.forkChild(Fiber.joinAll([a, b, c, d])))
      assert.deepStrictEqual(turns(states), ["a completed", "c completed", "b completed", "d completed"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("withdraws a request that is stopped while it waits", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const a = yield* begin(queued(manifest, deploymentId, "a"))
      const b = yield* begin(queued(manifest, deploymentId, "b"))
      yield* drive(yield* Effect.forkChild(Fiber.interrupt(b)))
      const state = yield* store.execution(id("b"))
      assert.deepStrictEqual([state?.status, state?.error?.code], ["cancelled", "interrupted"])
      assert.deepStrictEqual((yield* store.environment(deploymentId, production))?.queue, [])
      assert.strictEqual((yield* drive(a)).status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("leaves the store to others while it is far back in the queue", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const leases = yield* LeaseStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      for (const name of ["a", "b"]) yield* box.executions.submit(queued(manifest, deploymentId, name))
      const mine = yield* claimExecution(id("b"), Duration.minutes(10))
      let listened = 0
      let listed = 0
      const seen = <A, E, R>(count: () => void, effect: Effect.Effect<A, E, R>) =>
        Effect.andThen(Effect.sync(count), effect)
      const waiting = waitForAdmission({ id: id("b"), claim: () => mine, owner: "b", ttl: Duration.seconds(10) }).pipe(
        Effect.provideService(DeploymentStore, {
          ...store,
          changes: Stream.unwrap(seen(() => listened++, Effect.succeed(store.changes)))
        }),
        Effect.provideService(LeaseStore, { ...leases, list: seen(() => listed++, leases.list) })
      )
      const b = yield* Effect.forkChild(waiting)
      yield* settle
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([listened, listed], [0, 0])
      yield* box.executions.withdraw(id("a"), errorInfo("withdrawn", { by: "ada" }, { detail: "not today" }))
      yield* drive(b)
      assert.strictEqual((yield* leases.get(`environment/${deploymentId}/production`))?.holder, "b")
    }).pipe(Effect.provide(layer))
  })

  it.effect("gives up its position after its patience, even if the store is unavailable at that moment", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(queued(manifest, deploymentId, "a"))
      const away = Effect.fail(new StoreError({ operation: "append", reason: "Unavailable", detail: "no route" }))
      let times = 0
      const timer = yield* Effect.forkChild(
        withdrawAfter(id("a"), "1 minute").pipe(
          Effect.provideService(DeploymentStore, {
            ...store,
            append: (batch) => Effect.suspend(() => (times++ < 2 ? away : store.append(batch)))
          })
        )
      )
      yield* settle
      yield* TestClock.adjust("61 seconds")
      yield* settle
      assert.strictEqual((yield* store.execution(id("a")))?.status, "queued")
      assert.strictEqual(times, 2)
      yield* drive(timer)
      const { error, status } = (yield* store.execution(id("a")))!
      assert.strictEqual(status, "cancelled")
      assert.deepStrictEqual([error?.code, error?.params], ["queue_timeout", { afterMs: 60_000 }])
      assert.strictEqual(error?.remedies?.[0]?._tag, "explain")
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps waiting after its process was stopped until its claim was over", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const leases = yield* LeaseStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const a = yield* begin(queued(manifest, deploymentId, "a"))
      const b = yield* begin(queued(manifest, deploymentId, "b"))
      // Another process claimed it in the meantime, and is gone.
      const present = yield* leases.get("execution/b")
      const other = yield* leases
        .acquire({
          key: "execution/b",
          holder: "other",
          owner: "other",
          ttl: Duration.seconds(1),
          evict: present!.fence
        })
        .pipe(Effect.provideService(RunnerIdentity, { owner: "other", isDead: () => false }))
      assert.strictEqual(other.holder, "other")
      const states = yield* drive(yield* Effect.forkChild(Fiber.joinAll([a, b])))
      assert.deepStrictEqual(turns(states), ["a completed", "b completed"])
      assert.strictEqual((yield* box.executions.run(id("b"))).status, "completed")
    }).pipe(Effect.provide(layer))
  })

  for (const [how, seconds] of [
    ["is away for a moment", 4],
    ["is away for longer than its claim", 25]
  ] as const) {
    it.effect(`waits on where the store ${how}`, () => {
      const { cloud, layer } = world()
      return Effect.gen(function* () {
        const box = yield* Signalbox
        const store = yield* DeploymentStore
        const leases = yield* LeaseStore
        const manifest = manifestOf(canary, cloud)
        const deploymentId = yield* deployed(manifest)
        const a = yield* begin(queued(manifest, deploymentId, "a"))
        yield* box.executions.submit(queued(manifest, deploymentId, "b"))
        let isAway = false
        const failing = <Service extends object>(service: Service): Service =>
          new Proxy(service, {
            get: (target, name) => {
              const real = Reflect.get(target, name)
              const refused = new StoreError({ operation: String(name), reason: "Unavailable", detail: "no route" })
              return typeof real === "function"
                ? (...of: ReadonlyArray<unknown>) =>
                    Effect.suspend(() => (isAway ? Effect.fail(refused) : Reflect.apply(real, target, of)))
                : real
            }
          })
        const b = yield* Runner.run(id("b")).pipe(
          Effect.provideService(DeploymentStore, failing(store)),
          Effect.provideService(LeaseStore, failing(leases)),
          Effect.forkChild
        )
        yield* settle
        yield* TestClock.adjust("1 second")
        isAway = true
        const back = (yield* Clock.currentTimeMillis) + seconds * 1_000
        yield* pass(b, { until: Effect.map(Clock.currentTimeMillis, (now) => now >= back) })
        assert.isUndefined(b.pollUnsafe())
        isAway = false
        const states = yield* drive(yield* Effect.forkChild(Fiber.joinAll([a, b])))
        assert.deepStrictEqual(turns(states), ["a completed", "b completed"])
      }).pipe(Effect.provide(layer))
    })
  }

  const asking = (steps: Config["stacks"][number]["strategy"]) =>
    config({ stacks: [{ name: "web", provider: "simulated", gate, strategy: steps }] })

  it.effect("passes an execution that waits for a person and has no traffic yet", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const manifest = manifestOf(asking({ type: "blue_green", bake: "0 millis", approval: {} }), cloud)
      const deploymentId = yield* deployed(manifest)
      const a = yield* begin(queued(manifest, deploymentId, "a"))
      yield* pass(a, { until: Effect.map(store.execution(id("a")), (state) => state?.status === "paused") })
      const direct = manifestOf(asking({ type: "all_at_once" }), cloud)
      const b = yield* begin(queued(direct, deploymentId, "b"))
      const [first, second] = yield* drive(yield* Effect.forkChild(Effect.all([Fiber.join(a), Fiber.join(b)])))
      assert.deepStrictEqual([first.status, first.error?.code], ["rolled_back", "aborted"])
      assert.include(JSON.stringify(first.error?.params.cause), "gave_way")
      assert.strictEqual(second.status, "completed")
      assert.strictEqual(second.stacks[0]?.checkpoint?.release?.version, "1.0.0")
    }).pipe(Effect.provide(layer))
  })

  it.effect("passes frozen requests if it overrides the freeze, and they keep their positions", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const deploymentId = yield* deployed(manifestOf(canary, cloud))
      const direct = asking({ type: "all_at_once" })
      const manifest = manifestOf(
        { ...direct, freezes: [{ name: "night", cron: "0 0 * * *", duration: "10 minutes" }] },
        cloud
      )
      const a = yield* begin(queued(manifest, deploymentId, "a"))
      const b = yield* begin(queued(manifest, deploymentId, "b"))
      const urgent = { override: "the fix of the night" }
      const c = yield* drive(yield* begin(queued(manifest, deploymentId, "c", urgent)))
      const refusing = requestOf(manifest, deploymentId, "d", { version: "d.0.0", queue: "reject", ...urgent })
      const d = yield* drive(yield* begin(refusing))
      const waiting = (yield* store.environment(deploymentId, production))?.queue ?? []
      assert.deepStrictEqual(
        waiting.map(({ correlationId }) => correlationId),
        [id("a"), id("b")]
      )
      const [after] = yield* drive(yield* Effect.forkChild(Effect.all([Fiber.join(a), Fiber.join(b)])), {
        limit: 1_200,
        tick: 1_000
      })
      const states = [c, d, after, (yield* store.execution(id("b")))!]
      assert.deepStrictEqual(turns(states), ["c completed", "d completed", "a completed", "b completed"])
      assert.isAtLeast(after.startedAt!, 600_000)
      // No request is passed that could begin.
      yield* box.executions.submit(queued(manifest, deploymentId, "e"))
      const refused = yield* Effect.flip(
        box.executions.submit(requestOf(manifest, deploymentId, "f", { version: "f.0.0", queue: "reject", ...urgent }))
      )
      assert.strictEqual(refused._tag === "Rejected" ? refused.code : refused._tag, "blocked_by_queue")
    }).pipe(Effect.provide(layer))
  })

  it.effect("waits for one that has traffic, unless it is a rollback", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const store = yield* DeploymentStore
      const canary = asking({ type: "canary", steps: [{ weight: 10, bake: "1 second", approval: {} }] })
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* drive(yield* begin(queued(manifestOf(asking({ type: "all_at_once" }), cloud), deploymentId, "before")))
      const a = yield* begin(queued(manifest, deploymentId, "a"))
      yield* pass(a, { until: Effect.map(store.execution(id("a")), (state) => state?.status === "paused") })
      const b = yield* begin(queued(manifest, deploymentId, "b"))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* store.execution(id("a")))?.status, "paused")
      const back = yield* begin(queued(manifest, deploymentId, "back", { kind: "rollback" }))
      const [first, second] = yield* drive(yield* Effect.forkChild(Effect.all([Fiber.join(a), Fiber.join(back)])))
      assert.deepStrictEqual([first.status, second.status], ["rolled_back", "completed"])
      yield* drive(yield* Effect.forkChild(Fiber.interrupt(b)))
    }).pipe(Effect.provide(layer))
  })
})
