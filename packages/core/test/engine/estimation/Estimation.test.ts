import { assert, describe, it } from "@effect/vitest"
import { Estimation, Signalbox } from "@signalbox/core/engine"
import {
  CorrelationId,
  type DeploymentId,
  DeploymentStore,
  type Execution,
  LeaseStore,
  type Manifest
} from "@signalbox/core/spi"
import type { SimulatedProvider } from "@signalbox/core/testing"
import { Clock, Duration, Effect } from "effect"
import { TestClock } from "effect/testing"
import { executionClaimKey, environmentLeaseKey } from "../../../src/spi/LeaseKey.ts"
import { exponential, seeded } from "../../analysis/chance.ts"
import { executionOf, waiting } from "../../analysis/runs.ts"
import { carryOut, config, deployed, drive, gate, manifestOf, pass, requestOf, settle, world } from "../support.ts"

const second = 1_000

const one = config({ stacks: [{ name: "web", provider: "simulated", gate }] })

const stateOf = (id: string) =>
  Effect.flatMap(DeploymentStore, (store) =>
    Effect.map(store.execution(CorrelationId.make(id)), (state): Execution.ExecutionState => state!)
  )

/** Deploys again and again; staging a release takes `millis(n)`. */
const history = (
  cloud: SimulatedProvider.SimulatedProvider,
  manifest: Manifest,
  count: number,
  millis: (n: number) => number,
  options: { readonly limit?: number; readonly tick?: number } = {}
) =>
  Effect.gen(function* () {
    const deploymentId = yield* deployed(manifest)
    for (let n = 0; n < count; n++) {
      const version = `1.${n + 1}.0`
      for (const { name } of manifest.stacks) cloud.script(name, version, { stageMillis: millis(n) })
      const { status } = yield* carryOut(requestOf(manifest, deploymentId, `h${n}`, { version }), options)
      assert.strictEqual(status, "completed")
    }
    yield* TestClock.adjust("2 minutes")
    return deploymentId
  })

/** Starts one more and lets time pass until `until` is true. */
const start = (
  manifest: Manifest,
  deploymentId: DeploymentId,
  id: string,
  until: (state: Execution.ExecutionState) => boolean
) =>
  Effect.gen(function* () {
    const box = yield* Signalbox
    yield* box.executions.submit(requestOf(manifest, deploymentId, id, { version: `${id}.0` }))
    const fiber = yield* Effect.forkChild(box.executions.run(CorrelationId.make(id)))
    yield* pass(fiber, { until: Effect.map(stateOf(id), until) })
    return fiber
  })

const deploying = ({ stacks }: Execution.ExecutionState) =>
  stacks.some(({ stages }) => stages.some(({ name, status }) => name === "deployment" && status === "running"))

const now = (id: string) => Effect.flatMap(stateOf(id), Estimation.estimate)

describe("estimate of a running execution", () => {
  it.effect("lies where its predecessors lay, and leaves out finished ones", () => {
    const { cloud, layer } = world()
    const manifest = manifestOf(one, cloud)
    return Effect.gen(function* () {
      const random = seeded(3)
      const deploymentId = yield* history(cloud, manifest, 12, () => 20 * second + Math.round(10 * second * random()))
      cloud.script("web", "next.0", { stageMillis: 25 * second })
      const fiber = yield* start(manifest, deploymentId, "next", deploying)
      const first = yield* now("next")
      // The very first release was staged at once.
      assert.deepInclude(first, { basis: "history", scope: "environment", n: 13, coverage: 0.8 })
      yield* TestClock.adjust("10 seconds")
      const later = yield* now("next")
      assert.deepInclude(later, { basis: "history", n: 12 })
      assert.isAtLeast(later!.low!, 12 * second)
      assert.isAtMost(later!.high!, 22 * second)
      const before = yield* Clock.currentTimeMillis
      yield* drive(fiber)
      const actual = (yield* stateOf("next")).finishedAt! - before
      assert.isAtLeast(actual, later!.low!)
      assert.isAtMost(actual, later!.high!)
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not count the time in which it waits for a person", () => {
    const { cloud, layer } = world()
    const approval = { expiresIn: "1 hour", otherwise: "continue" } as const
    const asked = manifestOf(
      config({
        stacks: [
          { name: "web", provider: "simulated", gate, strategy: { type: "blue_green", bake: "0 millis", approval } }
        ]
      }),
      cloud
    )
    return Effect.gen(function* () {
      // No one answers: each of them waits for an hour.
      const deploymentId = yield* history(cloud, asked, 10, (n) => 20 * second + n * 100, { limit: 8_000, tick: 1_000 })
      cloud.script("web", "next.0", { stageMillis: 20 * second })
      yield* start(asked, deploymentId, "next", deploying)
      const before = yield* now("next")
      assert.deepInclude(before, { basis: "history", n: 10 })
      assert.isBelow(before!.high!, 60 * second)
      yield* TestClock.adjust("30 seconds")
      yield* settle
      assert.strictEqual((yield* stateOf("next")).status, "paused")
      const waiting = yield* now("next")
      yield* TestClock.adjust("20 minutes")
      yield* settle
      assert.deepEqual(yield* now("next"), waiting)
      assert.isBelow(waiting!.high!, 10 * second)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is composed of stages if the whole was never seen", () => {
    const { cloud, layer } = world()
    const manifest = manifestOf(config(), cloud)
    return Effect.gen(function* () {
      const deploymentId = yield* history(cloud, manifest, 10, (n) => 10 * second + n * 100)
      for (const name of ["db", "api", "web"]) cloud.script(name, "next.0", { stageMillis: 10 * second })
      const [db, , web] = manifest.stacks
      // Without api in between: web comes after db.
      const two = { ...manifest, stacks: [db!, { ...web!, dependsOn: [db!.name] }] as const }
      yield* start(two, deploymentId, "next", deploying)
      const both = yield* now("next")
      assert.deepInclude(both, { basis: "history", scope: "environment", n: 11 })
      // Twice 10 to 11 seconds, two more to prove db, and twice two to validate; the very first release was staged at once.
      assert.strictEqual(both!.low!, 6 * second)
      assert.isAtLeast(both!.point!, 25 * second)
      assert.isAtMost(both!.high!, 31 * second)
    }).pipe(Effect.provide(layer))
  })

  it.effect("in a queue begins with the remaining time of those ahead", () => {
    const { cloud, layer } = world()
    const manifest = manifestOf(one, cloud)
    return Effect.gen(function* () {
      const deploymentId = yield* history(cloud, manifest, 12, (n) => 20 * second + n * 100)
      for (const id of ["next", "later"]) cloud.script("web", `${id}.0`, { stageMillis: 20 * second })
      yield* start(manifest, deploymentId, "next", deploying)
      const box = yield* Signalbox
      yield* box.executions.submit(requestOf(manifest, deploymentId, "later", { version: "later.0", queue: "fifo" }))
      const [first, second_] = [yield* now("next"), yield* now("later")]
      assert.strictEqual(second_!.basis, "history")
      assert.closeTo(second_!.point!, 2 * first!.point!, 500)
    }).pipe(Effect.provide(layer))
  })
})

/** A store with these executions; the waiting ones are in the queue in this order. */
const shelf = (states: ReadonlyArray<Execution.ExecutionState>) =>
  Effect.map(DeploymentStore, (store) =>
    DeploymentStore.of({
      ...store,
      execution: (id) => Effect.succeed(states.find(({ correlationId }) => correlationId === id)),
      executions: ({ deploymentId, kinds, limit = 100, statuses }) =>
        Effect.succeed({
          items: states
            .filter((one) => deploymentId === undefined || one.deploymentId === deploymentId)
            .filter((one) => kinds === undefined || kinds.includes(one.kind))
            .filter((one) => statuses === undefined || statuses.includes(one.status))
            .toSorted((left, right) => right.requestedAt - left.requestedAt)
            .slice(0, limit)
        }),
      environment: (deploymentId, environment) =>
        Effect.succeed({
          deploymentId,
          environment,
          status: "deployed" as const,
          everDeployed: true,
          current: null,
          last: CorrelationId.make("h0"),
          stacks: [],
          updatedAt: 0,
          queue: states
            .filter(({ status }) => status === "queued")
            .map((one) => ({ ...one, at: one.requestedAt, policy: "fifo" as const, overtaken: 0 }))
        })
    })
  )

const claimed = (ids: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const leases = yield* LeaseStore
    for (const id of ids) {
      yield* leases.acquire({
        key: executionClaimKey(CorrelationId.make(id)),
        holder: id,
        owner: id,
        ttl: Duration.minutes(1)
      })
    }
  })

const lasting = (ms: number, at: number, id = `h${at}`, kind: Execution.ExecutionState["kind"] = "deploy") => ({
  ...executionOf({ id, at, stacks: [{ name: "web", stages: [0, 0, ms, 0] }] }),
  kind
})

describe("estimate of a queued request", () => {
  const deploys = Array.from({ length: 20 }, (_, n) => lasting(300_000 + n * 1_000, n * 1_000_000))
  const rollbacks = Array.from({ length: 20 }, (_, n): Execution.ExecutionState => {
    const state = lasting(5_000 + n, 1e8 + n * 1_000_000, `b${n}`, "rollback")
    return { ...state, stacks: state.stacks.map((stack) => ({ ...stack, stages: [] })) }
  })
  const me = waiting(lasting(1, 1e9, "me"))

  const estimateOf = (states: ReadonlyArray<Execution.ExecutionState>) =>
    Effect.gen(function* () {
      return yield* Effect.provideService(Estimation.estimate(me), DeploymentStore, yield* shelf([...states, me]))
    })

  it.effect("uses the kind of each one ahead: a rollback is over soon", () =>
    Effect.gen(function* () {
      yield* claimed(["back"])
      const back = waiting(lasting(1, 1e9, "back", "rollback"))
      const estimate = yield* estimateOf([...deploys, ...rollbacks, back])
      assert.deepInclude(estimate, { basis: "history", scope: "environment", n: 20 })
      assert.closeTo(estimate!.point!, 310_000 + 5_000, 2_000)
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("leaves out requests that no process waits with, and begins with the lease holder", () =>
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      yield* claimed(["second"])
      const others = ["first", "second", "third"].map((id) => waiting(lasting(1, 1e9, id)))
      const two = yield* estimateOf([...deploys, ...others])
      assert.closeTo(two!.point!, 2 * 310_000, 5_000)
      const key = environmentLeaseKey(me.deploymentId, me.environment)
      yield* leases.acquire({ key, holder: "holder", owner: "holder", ttl: Duration.minutes(1) })
      const holder: Execution.ExecutionState = {
        ...waiting(lasting(1, 0, "holder")),
        status: "in_progress",
        startedAt: 0
      }
      const three = yield* estimateOf([...deploys, ...others, holder])
      assert.closeTo(three!.point!, 3 * 310_000, 8_000)
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("covers four of five where durations are skewed and several are before it", () =>
    Effect.gen(function* () {
      const before = Array.from({ length: 5 }, (_, n) => waiting(lasting(1, 1e9, `before${n}`)))
      yield* claimed(before.map(({ correlationId }) => correlationId))
      const random = seeded(12)
      const draw = () => Math.round(60_000 * exponential(random))
      let covered = 0
      const rounds = 300
      for (let round = 0; round < rounds; round++) {
        const past = Array.from({ length: 40 }, (_, n) => lasting(draw(), n * 10_000_000))
        const estimate = yield* estimateOf([...past, ...before])
        const sum = Array.from({ length: 6 }, draw).reduce((left, right) => left + right)
        if (estimate!.low! <= sum && sum <= estimate!.high!) covered += 1
      }
      assert.closeTo(covered / rounds, 0.8, 0.07)
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("looks at others where enough of its kind are known, but few that did the same", () =>
    Effect.gen(function* () {
      const both = (id: string, at: number) =>
        executionOf({
          id,
          at,
          stacks: [
            { name: "web", stages: [0, 0, 300_000, 0] },
            { name: "cache", provider: "other", stages: [0, 0, 5_000, 0] }
          ]
        })
      const elsewhere = Array.from({ length: 12 }, (_, n) => ({
        ...both(`e${n}`, 1e8 + n * 1_000_000),
        deploymentId: "DOTHER0" as DeploymentId
      }))
      const store = yield* shelf([...deploys, ...elsewhere])
      const look = (state: Execution.ExecutionState) =>
        Effect.provideService(Estimation.estimate(state), DeploymentStore, store)
      // The first look caches what it read.
      assert.deepInclude(yield* look(me), { basis: "history", scope: "environment" })
      const estimate = yield* look(waiting(both("me", 1e9)))
      assert.deepInclude(estimate, { basis: "history", scope: "strategy", n: 12 })
      assert.closeTo(estimate!.point!, 310_000, 8_000)
    }).pipe(Effect.provide(world().layer))
  )

  it.effect("says nothing of a rollback that began after the history was read", () =>
    Effect.gen(function* () {
      const running: Execution.ExecutionState = { ...me, status: "in_progress", startedAt: 1e9 }
      const store = yield* shelf(deploys)
      const estimator = yield* Effect.provideService(Estimation.estimator(running), DeploymentStore, store)
      assert.strictEqual(estimator(running, 1e9)?.basis, "history")
      assert.isUndefined(estimator({ ...running, status: "rolling_back" }, 1e9))
    }).pipe(Effect.provide(world().layer))
  )
})

describe("an estimate with little to go by", () => {
  it.effect("is 20 % around the mean, and says so", () => {
    const { cloud, layer } = world()
    const manifest = manifestOf(one, cloud)
    return Effect.gen(function* () {
      const deploymentId = yield* history(cloud, manifest, 2, () => 10 * second)
      cloud.script("web", "next.0", { stageMillis: 10 * second })
      yield* start(manifest, deploymentId, "next", deploying)
      const few = yield* now("next")
      assert.strictEqual(few!.basis, "few")
      assert.isBelow(few!.n, 9)
      assert.isAtMost(Math.abs(few!.low! - 0.8 * few!.point!), 1)
      assert.isAtMost(Math.abs(few!.high! - 1.2 * few!.point!), 1)
    }).pipe(Effect.provide(layer))
  })

  it.effect("is none at all without any history", () => {
    const { cloud, layer } = world()
    const manifest = manifestOf(one, cloud)
    return Effect.gen(function* () {
      const { deploymentId } = yield* Effect.flatMap(Signalbox, (box) =>
        box.deployments.init({ manifest, by: "tester" })
      )
      cloud.script("web", "next.0", { stageMillis: 10 * second })
      yield* start(manifest, deploymentId, "next", deploying)
      assert.deepInclude(yield* now("next"), { basis: "none", point: null, low: null, high: null, n: 0 })
    }).pipe(Effect.provide(layer))
  })

  it.effect("is none if nothing is in progress", () => {
    const { cloud, layer } = world()
    const manifest = manifestOf(one, cloud)
    return Effect.gen(function* () {
      yield* deployed(manifest)
      assert.isUndefined(yield* now("first"))
    }).pipe(Effect.provide(layer))
  })
})
