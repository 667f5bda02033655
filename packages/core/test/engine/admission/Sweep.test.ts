import { assert, describe, it } from "@effect/vitest"
import { Signalbox, Sweep } from "@signalbox/core/engine"
import { CorrelationId, DeploymentStore, EnvironmentName, LeaseStore } from "@signalbox/core/spi"
import { Clock, Duration, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { canary, carryOut, deployed, manifestOf, pass, production, requestOf, world } from "../support.ts"

const id = (name: string) => CorrelationId.make(name)

/** Everything that nothing has happened to for seven days. */
const sweep = Effect.flatMap(Clock.currentTimeMillis, (now) =>
  Sweep.sweep(now - Duration.toMillis(Sweep.forgottenAfter))
)

const named = (swept: Effect.Success<typeof sweep>) =>
  swept.map(({ correlationId, now, was }) => `${correlationId} ${was} ${now}`)

/** A canary whose runner was stopped at ten percent. */
const leftHalfWay = Effect.fnUntraced(function* (request: ReturnType<typeof requestOf>) {
  const box = yield* Signalbox
  const store = yield* DeploymentStore
  yield* box.executions.submit(request)
  const fiber = yield* Effect.forkChild(box.executions.run(request.correlationId))
  const until = Effect.map(store.execution(request.correlationId), (state) => state?.stacks[0]?.candidateTraffic === 10)
  yield* pass(fiber, { until })
  yield* Fiber.interrupt(fiber)
})

describe("sweeping", () => {
  it.effect("withdraws an abandoned request, and leaves a younger one", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
      yield* box.executions.submit(requestOf(manifest, deploymentId, "old", { queue: "fifo" }))
      yield* TestClock.adjust("1 day")
      yield* box.executions.submit(requestOf(manifest, deploymentId, "young", { queue: "fifo" }))
      yield* TestClock.adjust("6 days")
      assert.deepStrictEqual(named(yield* sweep), [])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(named(yield* sweep), ["old queued cancelled"])
      assert.strictEqual((yield* store.execution(id("old")))?.error?.code, "forgotten")
      const { queue = [] } = (yield* store.environment(deploymentId, production)) ?? {}
      assert.deepStrictEqual(
        queue.map(({ correlationId }) => correlationId),
        ["young"]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("ends an execution that was left half-way, counted from the last thing that happened to it", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* leftHalfWay(requestOf(manifest, deploymentId, "left", { version: "2.0.0" }))
      yield* TestClock.adjust("6 days")
      yield* box.executions.command(id("left"), { command: "resume", by: "ada" })
      yield* TestClock.adjust("6 days")
      assert.deepStrictEqual(named(yield* sweep), [])
      yield* TestClock.adjust("2 days")
      assert.deepStrictEqual(named(yield* sweep), ["left paused failed"])
      const environment = yield* store.environment(deploymentId, production)
      assert.deepStrictEqual([environment?.current, environment?.status], [null, "failed"])
      assert.deepStrictEqual(named(yield* sweep), [])
    }).pipe(Effect.provide(layer))
  })

  it.effect("leaves executions with a runner, and executions under another holder's lease", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const leases = yield* LeaseStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* leftHalfWay(requestOf(manifest, deploymentId, "run", { version: "2.0.0" }))
      yield* TestClock.adjust("8 days")
      const ttl = Duration.minutes(1)
      const claim = yield* leases.acquire({ key: "execution/run", holder: "r", owner: "r", ttl })
      assert.deepStrictEqual(named(yield* sweep), [])
      yield* leases.release(claim)
      const key = `environment/${deploymentId}/production`
      const lock = yield* leases.acquire({ key, holder: "other", owner: "other", ttl })
      assert.deepStrictEqual(named(yield* sweep), [])
      yield* leases.release(lock)
      assert.deepStrictEqual(named(yield* sweep), ["run paused failed"])
      assert.deepStrictEqual(
        (yield* leases.list).filter(({ expiresAt }) => expiresAt > 0),
        []
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("happens beside each request", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, "old", { queue: "fifo" }))
      yield* TestClock.adjust("8 days")
      const environment = EnvironmentName.make("staging")
      yield* carryOut(requestOf(manifest, deploymentId, "elsewhere", { environment }))
      assert.strictEqual((yield* store.execution(id("old")))?.status, "cancelled")
    }).pipe(Effect.provide(layer))
  })
})
