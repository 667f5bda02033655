import { describeCause } from "@signalbox/core/text"
import { assert, describe, it } from "@effect/vitest"
import { Signalbox } from "@signalbox/core/engine"
import { type CorrelationId, DeploymentStore, type OperatorCommand } from "@signalbox/core/spi"
import { Clock, Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { config, deployed, drive, gate, manifestOf, pass, requestOf, settle, versions, world } from "../support.ts"

const canary = (approval?: { expiresIn: string; otherwise: "abort" | "continue" }) =>
  config({
    stacks: [
      {
        name: "web",
        provider: "simulated",
        gate,
        strategy: {
          type: "canary",
          steps: [{ weight: 10, bake: "1 minute", ...(approval === undefined ? {} : { approval: approval as never }) }]
        }
      }
    ]
  })

const second = "second" as CorrelationId

const status = Effect.gen(function* () {
  const store = yield* DeploymentStore
  return (yield* store.execution(second))?.status
})

const tell = (command: OperatorCommand, reason?: string) =>
  Effect.gen(function* () {
    const box = yield* Signalbox
    yield* box.executions.command(second, { command, by: "ops", ...(reason === undefined ? {} : { reason }) })
    yield* settle
  })

const start = (value: ReturnType<typeof canary>, { cloud }: ReturnType<typeof world>) =>
  Effect.gen(function* () {
    const box = yield* Signalbox
    const manifest = manifestOf(value, cloud)
    const deploymentId = yield* deployed(manifest)
    yield* box.executions.submit(requestOf(manifest, deploymentId, second, { version: "2.0.0" }))
    return yield* Effect.forkChild(box.executions.run(second))
  })

const weight = Effect.gen(function* () {
  const store = yield* DeploymentStore
  return (yield* store.execution(second))?.stacks[0]?.candidateTraffic
})

describe("operator commands, from another process", () => {
  it.effect("abort interrupts a bake at once and rolls back", () => {
    const here = world()
    return Effect.gen(function* () {
      const fiber = yield* start(canary(), here)
      yield* pass(fiber, { until: Effect.map(weight, (percent) => percent === 10) })
      yield* tell("abort", "wrong version")
      const state = yield* drive(fiber, { limit: 2 })
      assert.strictEqual(state.status, "rolled_back")
      assert.strictEqual(state.error?.code, "aborted")
      assert.strictEqual(describeCause(state.error!), "aborted by ops: wrong version")
      assert.deepStrictEqual(versions(state), ["web 1.0.0"])
    }).pipe(Effect.provide(here.layer))
  })

  it.effect("pause holds the next step until resume", () => {
    const here = world()
    return Effect.gen(function* () {
      const fiber = yield* start(canary(), here)
      yield* pass(fiber, { until: Effect.map(weight, (percent) => percent === 10) })
      yield* tell("pause")
      assert.strictEqual(yield* status, "paused")
      const { pauses } = (yield* Effect.flatMap(DeploymentStore, (store) => store.execution(second)))!
      assert.deepStrictEqual(pauses, [{ from: yield* Clock.currentTimeMillis }])
      yield* TestClock.adjust("5 minutes")
      yield* settle
      assert.strictEqual(yield* weight, 10)
      assert.isUndefined(fiber.pollUnsafe())
      yield* tell("resume")
      assert.strictEqual(yield* status, "in_progress")
      const state = yield* drive(fiber)
      assert.strictEqual(state.status, "completed")
      const [pause] = state.pauses ?? []
      assert.strictEqual(pause!.to! - pause!.from, 5 * 60_000)
    }).pipe(Effect.provide(here.layer))
  })

  it.effect("promote ends the bakes early", () => {
    const here = world()
    return Effect.gen(function* () {
      const fiber = yield* start(canary(), here)
      yield* pass(fiber, { until: Effect.map(weight, (percent) => percent === 10) })
      yield* tell("promote")
      const state = yield* drive(fiber, { limit: 10 })
      assert.strictEqual(state.status, "completed")
      assert.deepStrictEqual(versions(state), ["web 2.0.0"])
    }).pipe(Effect.provide(here.layer))
  })

  it.effect("an approval step waits for approve, paused meanwhile", () => {
    const here = world()
    return Effect.gen(function* () {
      const fiber = yield* start(canary({ expiresIn: "1 hour", otherwise: "abort" }), here)
      yield* pass(fiber, { until: Effect.map(status, (now) => now === "paused") })
      const store = yield* DeploymentStore
      const asking = yield* store.execution(second)
      assert.strictEqual(describeCause(asking!.questions[0]!.question), "2.0.0 carries 10 % of the traffic. Continue?")
      assert.strictEqual(asking?.stacks[0]?.stages.find(({ name }) => name === "deployment")?.status, "waiting")
      yield* tell("approve")
      const state = yield* drive(fiber)
      assert.strictEqual(state.status, "completed")
      assert.deepStrictEqual(state.questions, [])
    }).pipe(Effect.provide(here.layer))
  })

  it.effect("an approval that expires follows its default", () => {
    const goesOn = world()
    const goesBack = world()
    const ends = (here: ReturnType<typeof world>, otherwise: "abort" | "continue") =>
      Effect.gen(function* () {
        const fiber = yield* start(canary({ expiresIn: "10 minutes", otherwise }), here)
        return (yield* drive(fiber, { limit: 1_200, tick: 1_000 })).status
      }).pipe(Effect.provide(here.layer))
    return Effect.gen(function* () {
      assert.strictEqual(yield* ends(goesOn, "continue"), "completed")
      assert.strictEqual(yield* ends(goesBack, "abort"), "rolled_back")
    })
  })

  it.effect("retry watches an undecided canary again", () => {
    const here = world({ requestsPerSecond: 0 })
    return Effect.gen(function* () {
      const fiber = yield* start(canary(), here)
      yield* pass(fiber, { until: Effect.map(status, (now) => now === "paused"), limit: 3_600, tick: 1_000 })
      yield* tell("retry")
      assert.strictEqual(yield* status, "in_progress")
      yield* pass(fiber, { until: Effect.map(status, (now) => now === "paused"), limit: 3_600, tick: 1_000 })
      yield* tell("approve")
      assert.strictEqual((yield* drive(fiber)).status, "completed")
    }).pipe(Effect.provide(here.layer))
  })

  it.effect("are rejected in the wrong state, with what to do instead", () => {
    const here = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const refused = (id: CorrelationId, command: OperatorCommand) =>
        Effect.map(Effect.flip(box.executions.command(id, { command, by: "ops" })), (error) =>
          error._tag === "Rejected" ? `${error.kind} ${error.code}` : error._tag
        )
      assert.strictEqual(yield* refused("nobody" as CorrelationId, "abort"), "not_found unknown_execution")
      const fiber = yield* start(canary(), here)
      yield* pass(fiber, { until: Effect.map(weight, (percent) => percent === 10) })
      assert.strictEqual(yield* refused(second, "resume"), "conflict not_now")
      assert.strictEqual(yield* refused(second, "approve"), "conflict nothing_asked")
      yield* drive(fiber)
      assert.strictEqual(yield* refused(second, "abort"), "conflict already_finished")
    }).pipe(Effect.provide(here.layer))
  })

  it.effect("survive the runner: an abort without a runner is obeyed by the next", () => {
    const here = world()
    return Effect.gen(function* () {
      const box = yield* Signalbox
      const fiber = yield* start(canary(), here)
      yield* pass(fiber, { until: Effect.map(weight, (percent) => percent === 10) })
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(yield* status, "paused")
      assert.isUndefined(yield* box.executions.runner(second))
      yield* tell("abort")
      const state = yield* drive(yield* Effect.forkChild(box.executions.run(second)))
      assert.strictEqual(state.status, "rolled_back")
      assert.deepStrictEqual(versions(state), ["web 1.0.0"])
    }).pipe(Effect.provide(here.layer))
  })
})
