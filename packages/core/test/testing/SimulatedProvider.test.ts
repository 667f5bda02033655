import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { SimulatedProvider } from "@signalbox/core/testing"
import { expected, keepsThePort, mutation, ref } from "./keepsThePort.ts"

const shapes = {
  ...SimulatedProvider.shapes,
  adopting: { ...SimulatedProvider.shapes.revisions, firstRelease: "live", adopts: true },
  periodic: { ...SimulatedProvider.shapes.revisions, canGoBack: true, alarms: true, logs: true },
  telling: { ...SimulatedProvider.shapes.revisions, events: true, fence: true },
  guarded: { ...SimulatedProvider.shapes.revisions, fencing: "guarded", outputs: ["*"] }
} as const

for (const [name, shape] of Object.entries(shapes)) {
  keepsThePort(`simulated ${name}`, expected(shape), () =>
    SimulatedProvider.make({
      capabilities: shape,
      endpoints: name === "adopting",
      ...(name === "periodic" ? { metrics: { resolutionMillis: 100, lagMillis: 150, samples: false } } : {}),
      healthUnit: name === "hosting" ? "release" : "instance",
      handles: name === "transactional"
    })
  )
}

describe("SimulatedProvider", () => {
  it.effect("takes its time from the clock", () =>
    Effect.gen(function* () {
      const cloud = SimulatedProvider.make()
      cloud.script("*", "*", { stageMillis: 60_000 })
      const plan = yield* cloud.provider.plan(ref, { version: "v1" })
      const stage = yield* Effect.forkChild(cloud.provider.stage(ref, { plan, capacityPercent: 100 }, mutation("a")))
      yield* TestClock.adjust("59 seconds")
      const during = yield* cloud.provider.observe(ref)
      assert.strictEqual(during.status, "changing")
      assert.strictEqual(during.health[plan.candidate.id]?.healthy, 0)
      yield* TestClock.adjust("1 second")
      const seen = yield* Fiber.join(stage)
      assert.strictEqual(seen.health[plan.candidate.id]?.healthy, 2)
      assert.strictEqual(yield* Clock.currentTimeMillis, 60_000)
    })
  )

  it.effect("fails on request, before or after the effect, and records only effects", () =>
    Effect.gen(function* () {
      const cloud = SimulatedProvider.make()
      cloud.fail({ operation: "stage", reason: { _tag: "Throttled", message: "slow down", retryAfterMs: 5 } })
      cloud.fail({
        operation: "stage",
        stack: "api",
        nth: 2,
        after: true,
        reason: { _tag: "Unavailable", message: "cut" }
      })
      const plan = yield* cloud.provider.plan(ref, { version: "v1" })
      const stage = cloud.provider.stage(ref, { plan, capacityPercent: 100 }, mutation("a"))
      assert.strictEqual((yield* Effect.flip(stage)).reason._tag, "Throttled")
      assert.strictEqual(cloud.ledger.length, 0)
      assert.strictEqual((yield* Effect.flip(stage)).reason._tag, "Unavailable")
      yield* stage
      assert.deepStrictEqual(
        cloud.ledger.map(({ idempotencyKey, operation }) => [operation, idempotencyKey]),
        [["stage", "a"]]
      )
      assert.strictEqual(cloud.calls("stage", "api"), 3)
    })
  )

  it.effect("lets traffic lag behind the requested weights", () =>
    Effect.gen(function* () {
      const cloud = SimulatedProvider.make()
      cloud.script("api", "v2", { trafficLagMillis: 5_000, errorRate: 0.5, latencyMillis: 100, healthy: 50 })
      const deploy = Effect.fnUntraced(function* (version: string) {
        const plan = yield* cloud.provider.plan(ref, { version })
        yield* cloud.provider.stage(ref, { plan, capacityPercent: 100 }, mutation(`stage-${version}`))
        return yield* Effect.forkChild(
          cloud.provider.traffic!.shift(
            ref,
            { releaseId: plan.candidate.id, percent: 100 },
            mutation(`shift-${version}`)
          )
        ).pipe(Effect.map((fiber) => ({ id: plan.candidate.id, fiber })))
      })
      const first = yield* deploy("v1")
      yield* Fiber.join(first.fiber)
      yield* cloud.provider.traffic!.retire(ref, { keep: first.id, capacityPercent: 0 }, mutation("retire"))
      const second = yield* deploy("v2")
      yield* TestClock.adjust("4 seconds")
      assert.deepStrictEqual((yield* cloud.provider.observe(ref)).traffic, [{ releaseId: first.id, percent: 100 }])
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(second.fiber)
      yield* TestClock.adjust("10 seconds")
      const measured = yield* cloud.provider.metrics!.measure(ref, {
        releaseId: second.id,
        from: 5_000,
        to: 15_000
      })
      assert.strictEqual(measured.requests, 500)
      assert.strictEqual(measured.errors, 250)
      assert.strictEqual(measured.healthy, 50)
      assert.closeTo(measured.latency!.p50!, 100, 5)
    })
  )

  it.effect("drifts and is corrected field by field", () =>
    Effect.gen(function* () {
      const cloud = SimulatedProvider.make()
      cloud.tamper(ref, { field: "size", expected: "1", actual: "2", owned: false })
      cloud.tamper(ref, { field: "tag", expected: "a", actual: "b", owned: false })
      yield* cloud.provider.drift!.correct(ref, ["size"], mutation("c"))
      assert.deepStrictEqual(
        (yield* cloud.provider.drift!.detect(ref)).map(({ field }) => field),
        ["tag"]
      )
    })
  )
})
