import { assert, describe, it } from "@effect/vitest"
import { type Request } from "@signalbox/core/api"
import { RunnerIdentity, Signalbox } from "@signalbox/core/engine"
import { type CorrelationId, DeploymentStore, EnvironmentName, LeaseStore, StackName } from "@signalbox/core/spi"
import { Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  canary,
  carryOut,
  deployed,
  drive,
  manifestOf,
  pass,
  production,
  requestOf,
  settle,
  statuses,
  versions,
  world
} from "../support.ts"

const second = "second" as CorrelationId
const third = "third" as CorrelationId

const atTenPercent = Effect.gen(function* () {
  const store = yield* DeploymentStore
  return (yield* store.execution(second))?.stacks[0]?.candidateTraffic === 10
})

describe("one mutator", () => {
  it.effect("of two requests one is recorded and the other refused, naming the holder", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const [one, other] = yield* Effect.all(
        [
          Effect.result(box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))),
          Effect.result(box.executions.submit(requestOf(manifest, deploymentId, third, { version: "3.0.0" })))
        ],
        { concurrency: "unbounded" }
      )
      assert.strictEqual(one._tag, "Success")
      assert.strictEqual(other._tag, "Failure")
      if (other._tag === "Failure" && other.failure._tag === "Rejected") {
        assert.strictEqual(other.failure.kind, "blocked")
        assert.strictEqual(other.failure.lease?.holder, second)
      }
      assert.isUndefined(yield* store.execution(third))
      // Another environment is independent.
      const staging = EnvironmentName.make("staging")
      yield* box.executions.submit(requestOf(manifest, deploymentId, "elsewhere", { environment: staging }))
    }).pipe(Effect.provide(layer))
  })

  it.effect("the same request twice is one execution", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const request = requestOf(manifest, deploymentId, second, { version: "2.0.0" })
      const submissions = yield* Effect.all([box.executions.submit(request), box.executions.submit(request)], {
        concurrency: "unbounded"
      }).pipe(
        Effect.forkChild,
        Effect.flatMap((fiber) => drive(fiber))
      )
      assert.deepStrictEqual(submissions.map(({ joined }) => joined).sort(), [false, true])
      const before = cloud.ledger.length
      const runs = yield* Effect.forkChild(
        Effect.all([box.executions.run(second), box.executions.run(second)], { concurrency: "unbounded" })
      )
      const states = yield* drive(runs)
      assert.deepStrictEqual(
        states.map(({ status }) => status),
        ["completed", "completed"]
      )
      assert.strictEqual(cloud.ledger.slice(before).filter(({ operation }) => operation === "stage").length, 1)
      const other = yield* Effect.flip(box.executions.submit({ ...request, version: "9.9.9" }))
      assert.strictEqual(other._tag === "Rejected" ? other.code : "", "correlation_id_taken")
    }).pipe(Effect.provide(layer))
  })

  it.effect("joins an identical request, names differences, and keeps recorded values for omitted fields", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const origin = { commit: "aaaaaaa", workflowRun: "run 1" }
      const request = {
        ...requestOf(manifest, deploymentId, second, { kind: "run", command: "make" }),
        by: "ada",
        origin
      }
      yield* box.executions.submit(request)
      const differs = (changes: Partial<Request>) =>
        Effect.map(Effect.result(box.executions.submit({ ...request, ...changes })), (taken) =>
          taken._tag === "Success" ? taken.success.joined : taken.failure.message
        )
      const { command: _, origin: __, ...less } = request
      assert.isTrue((yield* box.executions.submit(less)).joined)
      assert.isTrue(yield* differs({ by: "bob", origin: { workflowRun: "run 2" } }))
      assert.isTrue(yield* differs({ identical: true }))
      assert.deepStrictEqual(
        [
          yield* differs({ version: "9.9.9" }),
          yield* differs({ stacks: [StackName.make("api")] }),
          yield* differs({ command: "make deploy" }),
          yield* differs({ override: "because" }),
          yield* differs({ origin: { commit: "bbbbbbb" } }),
          yield* differs({ identical: true, by: "bob" }),
          yield* differs({ identical: true, origin: { workflowRun: "run 2" } })
        ],
        [
          "second was requested with the version 1.0.0, not 9.9.9",
          "second was requested with no stack, not api",
          "second was requested with the command make, not make deploy",
          "second was requested with no override, not because",
          "second was requested with the commit aaaaaaa, not bbbbbbb",
          "second was requested with the actor ada, not bob",
          "second was requested with the workflow run run 1, not run 2"
        ]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("a holder that slept through its lease makes no further call, and its successor supersedes it", () => {
    const { cloud, layer } = world()
    cloud.script("web", "2.0.0", { stageMillis: 60_000 })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const leases = yield* LeaseStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
      const sleeper = yield* Effect.forkChild(Effect.result(box.executions.run(second)))
      yield* pass(sleeper, { until: Effect.sync(() => cloud.calls("stage", "web") > 1) })
      // What a pause of the whole process looks like to the others: its leases run out and are taken.
      for (const lease of yield* leases.list) {
        if (lease.key.startsWith("environment/") || lease.key === "execution/second") yield* leases.release(lease)
      }
      const successor = yield* carryOut(requestOf(manifest, deploymentId, third, { version: "3.0.0" }))
      assert.strictEqual(successor.status, "completed")
      assert.strictEqual(successor.supersedes, second)
      const ended = yield* drive(sleeper)
      assert.strictEqual(ended._tag === "Failure" ? ended.failure._tag : ended.success.status, "LeaseLost")
      const old = yield* store.execution(second)
      assert.strictEqual(old?.status, "failed")
      assert.strictEqual(old?.error?.code, "superseded")
      assert.deepStrictEqual(versions(successor), ["web 3.0.0"])
      const fences = cloud.ledger.map(({ fence }) => fence)
      assert.deepStrictEqual(
        fences,
        fences.toSorted((a, b) => a - b)
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("the successor of a dead runner reports its end with the change", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      // Its process is gone before it began to work.
      yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
      yield* TestClock.adjust("1 minute")
      const successor = yield* carryOut(requestOf(manifest, deploymentId, third, { version: "3.0.0" }))
      assert.deepStrictEqual([successor.status, successor.supersedes], ["completed", second])
      for (const [id, ...told] of [
        [second, "failed", "cancelled"],
        [third, "succeeded", "completed"]
      ] as const) {
        const events = yield* store.events({ stream: id })
        const end = events.findIndex(({ event }) => event._tag === "ExecutionTransitioned" && event.on !== "started")
        const announced = events.flatMap(({ event }) =>
          event._tag === "AlertRaised" ? [[event.kind, event.status]] : []
        )
        assert.deepStrictEqual(announced, [told])
        assert.strictEqual(events[end + 1]?.event._tag, "AlertRaised")
      }
    }).pipe(Effect.provide(layer))
  })

  it.effect("interrupting persists the state and gives the leases back", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const leases = yield* LeaseStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
      const fiber = yield* Effect.forkChild(box.executions.run(second))
      yield* pass(fiber, { until: atTenPercent })
      yield* Fiber.interrupt(fiber)
      const paused = yield* store.execution(second)
      assert.strictEqual(paused?.status, "paused")
      const held = (yield* leases.list).filter(({ expiresAt }) => expiresAt > 0)
      assert.deepStrictEqual(held, [])
      const state = yield* drive(yield* Effect.forkChild(box.executions.run(second)))
      assert.strictEqual(state.status, "completed")
      assert.deepStrictEqual(versions(state), ["web 2.0.0"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("interrupting before anything was changed cancels", () => {
    const { cloud, layer } = world()
    cloud.fail({
      operation: "plan",
      stack: "web",
      // The first two belong to the first deployment: before it was recorded, and its own.
      nth: 3,
      times: 6,
      reason: { _tag: "Unavailable", message: "no answer" }
    })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
      const fiber = yield* Effect.forkChild(box.executions.run(second))
      yield* settle
      yield* TestClock.adjust("100 millis")
      yield* settle
      yield* Fiber.interrupt(fiber)
      assert.strictEqual((yield* store.execution(second))?.status, "cancelled")
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deployed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("the claim of a runner that is known to be dead is taken over at once", () => {
    const { cloud, layer } = world()
    const dead = Effect.provideService(RunnerIdentity, { owner: "dead", isDead: () => false })
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const leases = yield* LeaseStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
      yield* leases
        .acquire({ key: "execution/second", holder: "dead", owner: "dead", ttl: "1 hour" as never })
        .pipe(dead)
      const fiber = yield* Effect.forkChild(
        Effect.provideService(box.executions.run(second), RunnerIdentity, {
          owner: "alive",
          isDead: (owner) => owner === "dead"
        })
      )
      assert.strictEqual((yield* drive(fiber, { limit: 120 })).status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("a request whose first process died before it was recorded is recorded once its lease is over", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const leases = yield* LeaseStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      const key = `environment/${deploymentId}/production`
      yield* leases.acquire({ key, holder: second, owner: "dead", ttl: "10 seconds" as never })
      const request = requestOf(manifest, deploymentId, second, { version: "2.0.0" })
      const fiber = yield* Effect.forkChild(box.executions.submit(request))
      const { execution, joined } = yield* drive(fiber, { limit: 60 })
      assert.strictEqual(execution.correlationId, second)
      assert.isFalse(joined)
    }).pipe(Effect.provide(layer))
  })

  it.effect("follow shows every event once, in order, to the end", () => {
    const { cloud, layer } = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const store = yield* DeploymentStore
      const manifest = manifestOf(canary, cloud)
      const deploymentId = yield* deployed(manifest)
      yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
      const seen = yield* Effect.forkChild(Stream.runCollect(box.executions.follow(second)))
      yield* drive(yield* Effect.forkChild(box.executions.run(second)))
      const events = yield* drive(seen)
      const all = yield* store.events({ stream: second })
      const end = all.findIndex(({ event }) => event._tag === "ExecutionTransitioned" && event.on === "completed")
      assert.deepStrictEqual(
        events.map(({ seq }) => seq),
        all.slice(0, end + 1).map(({ seq }) => seq)
      )
      assert.strictEqual(statuses((yield* store.execution(second))!)[0], "web deployed")
    }).pipe(Effect.provide(layer))
  })
})
