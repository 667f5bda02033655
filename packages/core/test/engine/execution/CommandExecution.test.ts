import { describeCause } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Signalbox, type CommandExecution } from "@signalbox/core/engine"
import {
  CorrelationId,
  type DeploymentId,
  DeploymentStore,
  LeaseStore,
  type Manifest,
  StackName
} from "@signalbox/core/spi"
import { Deferred, Duration, Effect, Fiber, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as Runner from "../../../src/engine/execution/Runner.ts"
import { config, drive, manifestOf, pass, production, requestOf, settle, world } from "../support.ts"

const id = (name: string) => CorrelationId.make(name)
const lockOf = (deploymentId: string) => `environment/${deploymentId}/production`

const fine: CommandExecution = () => Effect.succeed({ code: 0, signal: null, asked: false })

/** A command that ends only when it is told to. */
const untilStopped: CommandExecution = ({ deadlines, stopped }) =>
  Effect.raceFirst(stopped, Stream.runDrain(Stream.takeUntil(deadlines, (deadline) => deadline === 0))).pipe(
    Effect.as({ code: null, signal: "SIGKILL", asked: true })
  )

const started = Effect.gen(function* () {
  const box = yield* Signalbox
  const cloudless = world()
  const manifest = manifestOf(config(), cloudless.cloud)
  const { deploymentId } = yield* box.deployments.init({ manifest, by: "tester" })
  return { box, store: yield* DeploymentStore, leases: yield* LeaseStore, manifest, deploymentId }
})

const wrap = (
  manifest: Manifest,
  deploymentId: DeploymentId,
  name: string,
  changes: Parameters<typeof requestOf>[3] = {}
) => requestOf(manifest, deploymentId, name, { kind: "run", command: "make deploy", ...changes })

describe("a wrapped command", () => {
  it.effect("holds the lease while it runs, and leaves the deployment as it ended", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, leases, manifest, store } = yield* started
      yield* box.executions.submit(wrap(manifest, deploymentId, "one"))
      const done = yield* Deferred.make<void>()
      const fiber = yield* Effect.forkChild(
        box.executions.run(id("one"), () => Effect.as(Deferred.await(done), { code: 0, signal: null, asked: false }))
      )
      // Longer than the lease: it is kept alive.
      yield* settle
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* leases.get(lockOf(deploymentId)))?.holder, "one")
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deploying")
      yield* Deferred.succeed(done, undefined)
      const state = yield* drive(fiber)
      assert.deepStrictEqual(
        [state.status, state.command, state.exit],
        ["completed", "make deploy", { code: 0, signal: null }]
      )
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deployed")
      assert.strictEqual((yield* leases.get(lockOf(deploymentId)))?.expiresAt, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("that fails leaves the deployment failed, with its code", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, manifest, store } = yield* started
      yield* box.executions.submit(wrap(manifest, deploymentId, "one"))
      const state = yield* drive(
        yield* Effect.forkChild(
          box.executions.run(id("one"), () => Effect.succeed({ code: 3, signal: null, asked: false }))
        )
      )
      assert.deepStrictEqual([state.status, state.exit?.code, state.error?.code], ["failed", 3, "command_failed"])
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "failed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("for one stack leaves the status of the deployment alone", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, manifest, store } = yield* started
      yield* box.executions.submit(wrap(manifest, deploymentId, "one", { stacks: [StackName.make("api")] }))
      yield* drive(yield* Effect.forkChild(box.executions.run(id("one"), fine)))
      const environment = yield* store.environment(deploymentId, production)
      assert.deepStrictEqual(
        [environment?.status, environment?.stacks.map(({ name, release, status }) => [name, status, release?.version])],
        ["initialized", [["api", "deployed", "1.0.0"]]]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("that was only registered is known once it begins", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, manifest, store } = yield* started
      const { command: _, ...registered } = wrap(manifest, deploymentId, "one")
      yield* box.executions.submit(registered)
      yield* drive(yield* Effect.forkChild(box.executions.run(id("one"), fine, "make deploy")))
      const { items } = yield* store.executions({ text: "make deploy" })
      assert.deepStrictEqual(
        items.map(({ command, correlationId }) => [correlationId, command]),
        [["one", "make deploy"]]
      )
    }).pipe(Effect.provide(layer))
  })

  it.effect("runs one after the other", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, manifest } = yield* started
      const log: Array<string> = []
      const noted =
        (name: string): CommandExecution =>
        () =>
          Effect.gen(function* () {
            log.push(`${name} begins`)
            yield* Effect.sleep("20 seconds")
            log.push(`${name} ends`)
            return { code: 0, signal: null, asked: false }
          })
      const fibers = []
      for (const name of ["one", "two"]) {
        yield* box.executions.submit(wrap(manifest, deploymentId, name))
        fibers.push(yield* Effect.forkChild(box.executions.run(id(name), noted(name))))
        yield* settle
      }
      yield* drive(yield* Effect.forkChild(Fiber.joinAll(fibers)))
      assert.deepStrictEqual(log, ["one begins", "one ends", "two begins", "two ends"])
    }).pipe(Effect.provide(layer))
  })

  it.effect("is stopped before its runner is, and leaves the deployment unknown", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, manifest, store } = yield* started
      yield* box.executions.submit(wrap(manifest, deploymentId, "one"))
      let stopped = false
      const command: CommandExecution = (context) =>
        Effect.map(context.stopped, () => {
          stopped = true
          return { code: 130, signal: null, asked: true }
        })
      const fiber = yield* Effect.forkChild(box.executions.run(id("one"), command))
      yield* settle
      yield* drive(yield* Effect.forkChild(Fiber.interrupt(fiber)))
      const state = yield* store.execution(id("one"))
      assert.isTrue(stopped)
      assert.deepStrictEqual([state?.status, state?.exit?.code], ["cancelled", 130])
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "unknown")
    }).pipe(Effect.provide(layer))
  })

  it.effect("never begins if its runner is stopped before its start was recorded", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, leases, manifest, store } = yield* started
      yield* box.executions.submit(wrap(manifest, deploymentId, "one"))
      const reached = yield* Deferred.make<void>()
      const slow: DeploymentStore["Service"] = {
        ...store,
        append: (write) =>
          write.events.some(({ event }) => event._tag === "ProcessStarted")
            ? Deferred.succeed(reached, undefined).pipe(
                Effect.andThen(Effect.sleep("1 second")),
                Effect.andThen(store.append(write))
              )
            : store.append(write)
      }
      let began = false
      const command: CommandExecution = () =>
        Effect.sync(() => ((began = true), { code: 0, signal: null, asked: false }))
      const fiber = yield* Effect.forkChild(
        Effect.provideService(Runner.run(id("one"), command), DeploymentStore, slow)
      )
      yield* Deferred.await(reached)
      yield* drive(yield* Effect.forkChild(Fiber.interrupt(fiber)))
      const state = yield* store.execution(id("one"))
      assert.isFalse(began)
      assert.deepStrictEqual([state?.status, state?.error?.code], ["cancelled", "interrupted"])
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "initialized")
      assert.strictEqual((yield* leases.get(lockOf(deploymentId)))?.expiresAt, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("never begins if it is aborted while it waits, and gives up its position at once", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, manifest, store } = yield* started
      const first = yield* Effect.forkChild(
        Effect.andThen(
          box.executions.submit(wrap(manifest, deploymentId, "one")),
          box.executions.run(id("one"), untilStopped)
        )
      )
      yield* settle
      yield* box.executions.submit(wrap(manifest, deploymentId, "two"))
      let began = false
      const second = yield* Effect.forkChild(
        box.executions.run(id("two"), () =>
          Effect.sync(() => ((began = true), { code: 0, signal: null, asked: false }))
        )
      )
      yield* settle
      yield* box.executions.command(id("two"), { command: "abort", by: "ops", reason: "wrong version" })
      assert.deepStrictEqual((yield* store.environment(deploymentId, production))?.queue, [])
      const state = yield* drive(second)
      assert.isFalse(began)
      assert.deepStrictEqual(
        [state.status, describeCause(state.error!)],
        ["cancelled", "aborted by ops: wrong version"]
      )
      yield* drive(yield* Effect.forkChild(Fiber.interrupt(first)))
    }).pipe(Effect.provide(layer))
  })

  for (const [when, tag] of [
    ["its runner came", "RunnerClaimed"],
    ["it was written that it begins", "ProcessStarted"]
  ] as const) {
    it.effect(`never begins where it is aborted before ${when}`, () => {
      const { layer } = world()
      return Effect.gen(function* () {
        const { box, deploymentId, manifest, store } = yield* started
        yield* box.executions.submit(wrap(manifest, deploymentId, "one", { queue: "reject" }))
        const abort = box.executions.command(id("one"), { command: "abort", by: "ops" })
        if (tag === "RunnerClaimed") yield* abort
        let began = false
        const command: CommandExecution = () =>
          Effect.sync(() => ((began = true), { code: 0, signal: null, asked: false }))
        const aborting: DeploymentStore["Service"] = {
          ...store,
          append: (write) =>
            write.events.some(({ event }) => event._tag === tag)
              ? Effect.andThen(Effect.orDie(abort), Effect.andThen(settle, store.append(write)))
              : store.append(write)
        }
        const runner = Runner.run(id("one"), command)
        const fiber = yield* Effect.forkChild(
          tag === "RunnerClaimed" ? runner : Effect.provideService(runner, DeploymentStore, aborting)
        )
        const state = yield* drive(fiber)
        assert.isFalse(began)
        assert.deepStrictEqual([state.status, state.error?.code], ["cancelled", "aborted"])
        assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "initialized")
      }).pipe(Effect.provide(layer))
    })
  }

  it.effect("learns that the lease is lost", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, leases, manifest } = yield* started
      yield* box.executions.submit(wrap(manifest, deploymentId, "one"))
      const seen: Array<number> = []
      const command: CommandExecution = ({ deadlines }) =>
        deadlines.pipe(
          Stream.tap((deadline) => Effect.sync(() => void seen.push(deadline))),
          Stream.takeUntil((deadline) => deadline === 0),
          Stream.runDrain,
          Effect.as({ code: null, signal: "SIGKILL", asked: false })
        )
      const fiber = yield* Effect.forkChild(Effect.result(box.executions.run(id("one"), command)))
      yield* settle
      const lock = yield* leases.get(lockOf(deploymentId))
      yield* leases.acquire({
        key: lock!.key,
        holder: "thief",
        owner: "thief",
        ttl: Duration.minutes(1),
        evict: lock!.fence
      })
      const result = yield* drive(fiber)
      assert.strictEqual(result._tag === "Failure" ? result.failure._tag : "", "LeaseLost")
      assert.deepStrictEqual(seen, [10_000, 0])
    }).pipe(Effect.provide(layer))
  })

  it.effect("keeps its lease until it has ended, even if it was claimed meanwhile", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, leases, manifest, store } = yield* started
      yield* box.executions.submit(wrap(manifest, deploymentId, "one"))
      let ended = false
      const slow: CommandExecution = ({ stopped }) =>
        stopped.pipe(
          Effect.andThen(Effect.sleep("35 seconds")),
          Effect.andThen(Effect.sync(() => ((ended = true), { code: null, signal: "SIGTERM", asked: true })))
        )
      const first = yield* Effect.forkChild(Effect.result(box.executions.run(id("one"), slow)))
      yield* settle
      // Its process was stopped for so long that its claim was over, and goes on.
      const claim = (yield* leases.get("execution/one"))!
      yield* leases.release(claim)
      const second = yield* Effect.forkChild(box.executions.run(id("one"), fine))
      yield* settle
      const lock = (yield* leases.get(lockOf(deploymentId)))!
      yield* pass(second, { until: Effect.sync(() => ended), limit: 60 })
      const after = (yield* leases.get(lockOf(deploymentId)))!
      assert.deepStrictEqual([ended, after.fence, second.pollUnsafe()], [true, lock.fence, undefined])
      const state = yield* drive(second)
      assert.deepStrictEqual([state.status, state.error?.code], ["failed", "command_cut"])
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "unknown")
      yield* drive(first)
    }).pipe(Effect.provide(layer))
  })

  it.effect("that was cut off is not run again, and its effects are unknown", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, leases, manifest, store } = yield* started
      yield* box.executions.submit(wrap(manifest, deploymentId, "one"))
      const fiber = yield* Effect.forkChild(Effect.result(box.executions.run(id("one"), untilStopped)))
      yield* settle
      // As after a SIGKILL: nothing renews or writes any more.
      for (const lease of yield* leases.list) {
        yield* leases.acquire({ ...lease, holder: "gone", owner: "gone", ttl: Duration.millis(1), evict: lease.fence })
      }
      yield* TestClock.adjust("11 seconds")
      let again = false
      const state = yield* drive(
        yield* Effect.forkChild(
          box.executions.run(id("one"), () =>
            Effect.sync(() => ((again = true), { code: 0, signal: null, asked: false }))
          )
        )
      )
      assert.isFalse(again)
      assert.deepStrictEqual([state.status, state.error?.code], ["failed", "command_cut"])
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "unknown")
      yield* drive(yield* Effect.forkChild(Fiber.interrupt(fiber)))
    }).pipe(Effect.provide(layer))
  })
})

describe("register, wait and clean up", () => {
  const registered = (name: string) =>
    Effect.gen(function* () {
      const all = yield* started
      yield* all.box.executions.submit(wrap(all.manifest, all.deploymentId, name))
      return all
    })

  it.effect("passes the lease on to a process with the same correlation id", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, leases } = yield* registered("one")
      const turn = yield* box.coordination.waitForAdmission(id("one"), { hold: Duration.minutes(1) })
      assert.deepStrictEqual([turn.status, turn.turnAt === undefined], ["queued", false])
      assert.strictEqual((yield* leases.get(lockOf(deploymentId)))?.holder, "one")
      const state = yield* drive(yield* Effect.forkChild(box.executions.run(id("one"), fine)))
      assert.strictEqual(state.status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("waits while the next in the queue holds the lease for a moment", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, leases } = yield* registered("one")
      yield* box.coordination.waitForAdmission(id("one"), { hold: Duration.minutes(1) })
      const lock = (yield* leases.get(lockOf(deploymentId)))!
      const next = yield* leases.acquire({
        key: lock.key,
        holder: "two",
        owner: "two",
        ttl: Duration.minutes(1),
        evict: lock.fence
      })
      const fiber = yield* Effect.forkChild(box.executions.run(id("one"), fine))
      yield* settle
      yield* TestClock.adjust("200 millis")
      yield* leases.release(next)
      assert.strictEqual((yield* drive(fiber)).status, "completed")
    }).pipe(Effect.provide(layer))
  })

  it.effect("accepts the report of `cleanup`, once", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, leases, store } = yield* registered("one")
      yield* box.coordination.waitForAdmission(id("one"), { hold: Duration.minutes(1) })
      const first = yield* box.coordination.cleanup(id("one"), { status: "succeeded", by: "tester" })
      assert.deepStrictEqual(first, { correlationId: id("one"), was: "queued", now: "completed", released: true })
      assert.strictEqual((yield* store.environment(deploymentId, production))?.status, "deployed")
      const again = yield* box.coordination.cleanup(id("one"), { status: "failed", by: "tester" })
      assert.deepStrictEqual(again, { correlationId: id("one"), was: "completed", now: "completed", released: false })
      assert.strictEqual((yield* leases.get(lockOf(deploymentId)))?.expiresAt, 0)
    }).pipe(Effect.provide(layer))
  })

  it.effect("frees nothing that another one holds", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box, deploymentId, leases, manifest } = yield* registered("one")
      yield* box.coordination.waitForAdmission(id("one"), { hold: Duration.minutes(1) })
      yield* box.executions.submit(wrap(manifest, deploymentId, "two"))
      const cleaned = yield* box.coordination.cleanup(id("two"), { status: "failed", by: "tester" })
      assert.deepStrictEqual([cleaned.was, cleaned.now, cleaned.released], ["queued", "cancelled", false])
      assert.strictEqual((yield* leases.get(lockOf(deploymentId)))?.holder, "one")
      const nothing = yield* box.coordination.cleanup(id("three"), { status: "failed", by: "tester" })
      assert.deepStrictEqual([nothing.was, nothing.released], [null, false])
    }).pipe(Effect.provide(layer))
  })

  it.effect("does not end an execution that has a runner", () => {
    const { layer } = world()
    return Effect.gen(function* () {
      const { box } = yield* registered("one")
      const fiber = yield* Effect.forkChild(box.executions.run(id("one"), untilStopped))
      yield* settle
      const refused = yield* Effect.flip(box.coordination.cleanup(id("one"), { status: "failed", by: "tester" }))
      assert.strictEqual(refused._tag === "Rejected" ? refused.code : "", "still_running")
      yield* drive(yield* Effect.forkChild(Fiber.interrupt(fiber)))
    }).pipe(Effect.provide(layer))
  })
})
