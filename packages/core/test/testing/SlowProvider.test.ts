import { assert, describe, it } from "@effect/vitest"
import type { ProviderEvent } from "@signalbox/core/spi"
import { SimulatedProvider, SlowProvider, testMutation } from "@signalbox/core/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { expected, keepsThePort, mutation, ref } from "./keepsThePort.ts"

keepsThePort("a slow cloud", expected({ ...SimulatedProvider.shapes.transactional, events: true, fence: true }), () =>
  SlowProvider.make({
    operationMillis: 40,
    cancelMillis: 20,
    lagMillis: 15,
    pollMillis: 5,
    capabilities: { events: true, fence: true }
  })
)

type Cloud = SimulatedProvider.SimulatedProvider

const stage = (cloud: Cloud, version: string, given = mutation(version)) =>
  Effect.flatMap(cloud.provider.plan(ref, { version }), (plan) =>
    cloud.provider.stage(ref, { plan, capacityPercent: 100 }, given)
  )

/** Runs an effect while as much time passes as it needs. */
const passing = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

const live = (cloud: Cloud) =>
  Effect.map(cloud.inspect(ref), ({ traffic }) => Object.keys(traffic).map((id) => id.split("-")[0]))

const effects = ({ ledger }: Cloud) => ledger.map(({ idempotencyKey, operation }) => [operation, idempotencyKey])

describe("SlowProvider", () => {
  it.effect("works on while its caller is gone, and is found again by name", () =>
    Effect.gen(function* () {
      const cloud = SlowProvider.make()
      const handles = new Map<string, string | null>()
      const resumed = testMutation("a", { handles })
      const caller = yield* Effect.forkChild(stage(cloud, "v1", resumed))
      yield* TestClock.adjust("1 second")
      yield* Fiber.interrupt(caller)
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(yield* live(cloud), ["v1"])
      yield* passing(stage(cloud, "v1", resumed))
      assert.deepStrictEqual(effects(cloud), [["stage", "a"]])
      // Found at once, and nothing is waited for.
      assert.isBelow(yield* Clock.currentTimeMillis, 303_000)
    })
  )

  for (const [what, millis] of [
    ["still works", 1_000],
    ["is done", 300_000]
  ] as const) {
    it.effect(`recognizes its own operation that ${what} after the answer was cut`, () =>
      Effect.gen(function* () {
        const cloud = SlowProvider.make()
        cloud.fail({ operation: "stage", after: true, reason: { _tag: "Unavailable", message: "cut" } })
        const repeated = mutation("a")
        const first = yield* passing(Effect.flip(stage(cloud, "v1", repeated)))
        assert.strictEqual(first.reason._tag, "Unavailable")
        yield* TestClock.adjust(millis)
        yield* passing(stage(cloud, "v1", repeated))
        assert.deepStrictEqual(effects(cloud), [["stage", "a"]])
        assert.deepStrictEqual(yield* live(cloud), ["v1"])
      })
    )
  }

  it.effect("reports a failure whose answer was cut, and does not begin again", () =>
    Effect.gen(function* () {
      const cloud = SlowProvider.make()
      cloud.script("api", "v2", { broken: "it exits at once" })
      yield* passing(stage(cloud, "v1"))
      cloud.fail({ operation: "stage", after: true, reason: { _tag: "Unavailable", message: "cut" } })
      const repeated = mutation("b")
      yield* passing(Effect.flip(stage(cloud, "v2", repeated)))
      yield* TestClock.adjust("5 minutes")
      const error = yield* passing(Effect.flip(stage(cloud, "v2", repeated)))
      assert.strictEqual(error.reason._tag, "Broken")
      assert.deepStrictEqual(effects(cloud), [
        ["stage", "v1"],
        ["stage", "b"]
      ])
      assert.deepStrictEqual(yield* live(cloud), ["v1"])
    })
  )

  it.effect("lets no failed poll fail an operation that succeeds", () =>
    Effect.gen(function* () {
      const cloud = SlowProvider.make()
      for (const reason of [
        { _tag: "Throttled", message: "slow down", retryAfterMs: 1_000 },
        { _tag: "Unavailable", message: "no answer" }
      ] as const)
        cloud.fail({ operation: "poll", times: 3, reason })
      yield* passing(stage(cloud, "v1"))
      assert.isAbove(cloud.calls("poll", "api"), 6)
    })
  )

  it.effect("says that credentials ran out meanwhile, and goes on with the same operation", () =>
    Effect.gen(function* () {
      const cloud = SlowProvider.make()
      const resumed = mutation("a")
      const caller = yield* Effect.forkChild(Effect.flip(stage(cloud, "v1", resumed)))
      yield* TestClock.adjust("1 second")
      cloud.expire()
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(caller)).reason._tag, "Expired")
      cloud.renew()
      yield* passing(stage(cloud, "v1", resumed))
      assert.deepStrictEqual(effects(cloud), [["stage", "a"]])
    })
  )

  it.effect("leaves the old release live until the end of an operation, also of a deletion", () =>
    Effect.gen(function* () {
      const cloud = SlowProvider.make()
      yield* passing(stage(cloud, "v1"))
      const update = yield* Effect.forkChild(stage(cloud, "v2"))
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(yield* live(cloud), ["v1"])
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(update)
      const deletion = yield* Effect.forkChild(cloud.provider.destroy(ref, mutation("delete")))
      yield* TestClock.adjust("59 seconds")
      assert.deepStrictEqual(yield* live(cloud), ["v2"])
      assert.strictEqual((yield* cloud.provider.observe(ref)).status, "changing")
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(deletion)
      assert.deepStrictEqual(yield* live(cloud), [])
    })
  )

  it.effect("cancels what it rolls back", () =>
    Effect.gen(function* () {
      const cloud = SlowProvider.make()
      yield* passing(stage(cloud, "v1"))
      const plan = yield* cloud.provider.plan(ref, { version: "v2" })
      const update = yield* Effect.forkChild(Effect.flip(stage(cloud, "v2")))
      yield* TestClock.adjust("10 seconds")
      const before = yield* Clock.currentTimeMillis
      yield* passing(cloud.provider.rollback(ref, plan.checkpoint, mutation("back")))
      assert.isBelow((yield* Clock.currentTimeMillis) - before, 40_000)
      assert.strictEqual((yield* Fiber.join(update)).reason._tag, "Conflict")
      assert.deepStrictEqual(yield* live(cloud), ["v1"])
    })
  )

  it.effect("reports the beginning and the end of an operation once, even if two callers wait", () =>
    Effect.gen(function* () {
      const cloud = SlowProvider.make({ capabilities: { events: true } })
      const reported: Array<ProviderEvent> = []
      const given = testMutation("a", { progress: (event) => Effect.sync(() => void reported.push(event)) })
      yield* passing(Effect.all([stage(cloud, "v1", given), stage(cloud, "v1", given)], { concurrency: 2 }))
      const { events } = yield* cloud.provider.events!.since(ref, null, { from: 0 })
      assert.deepStrictEqual(
        events.map(({ message }) => message),
        ["stage began", "stage is done"]
      )
      assert.sameMembers(
        [...new Set(reported.map(({ id }) => id))],
        events.map(({ id }) => id)
      )
    })
  )
})
