import { assert, describe, it } from "@effect/vitest"
import type { Mutation } from "@signalbox/core/spi"
import { RevisionsProvider, type SimulatedProvider, testMutation } from "@signalbox/core/testing"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { expected, keepsThePort, mutation, ref } from "./keepsThePort.ts"

const groups = { metrics: true, drift: true, events: true, fence: true, canGoBack: true } as const

keepsThePort("a cloud of revisions", expected({ capacity: false, firstRelease: "live", ...groups }), () =>
  RevisionsProvider.make({ operationMillis: 10, lagMillis: 5, pollMillis: 3, capabilities: groups })
)

keepsThePort(
  "a cloud of revisions with capacity",
  expected({ capacity: true, firstRelease: "live", metrics: true, drift: true, restart: true, canGoBack: true }),
  () =>
    RevisionsProvider.make({
      operationMillis: 10,
      pollMillis: 3,
      capabilities: { capacity: true, restart: true }
    })
)

type Cloud = SimulatedProvider.SimulatedProvider

/** Runs an effect while as much time passes as it needs. */
const passing = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(effect)
    while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 second")
    return yield* Fiber.join(fiber)
  })

const took = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function* () {
    const before = yield* Clock.currentTimeMillis
    yield* passing(effect)
    return (yield* Clock.currentTimeMillis) - before
  })

const stage = (cloud: Cloud, version: string, given: Mutation = mutation(`stage-${version}`)) =>
  Effect.flatMap(cloud.provider.plan(ref, { version }), (plan) =>
    Effect.map(cloud.provider.stage(ref, { plan, capacityPercent: 100 }, given), (seen) => ({ plan, seen }))
  )

const deploy = (cloud: Cloud, version: string) =>
  Effect.gen(function* () {
    const { plan } = yield* passing(stage(cloud, version))
    const { id } = plan.candidate
    const { retire, shift } = cloud.provider.traffic!
    yield* passing(shift(ref, { releaseId: id, percent: 100 }, mutation(`shift-${version}`)))
    yield* passing(retire(ref, { keep: id, capacityPercent: 0 }, mutation(`retire-${version}`)))
    return plan
  })

describe("RevisionsProvider", () => {
  it.effect("gives each revision an address, before it has any traffic", () =>
    Effect.gen(function* () {
      const cloud = RevisionsProvider.make()
      yield* deploy(cloud, "v1")
      const { plan, seen } = yield* passing(stage(cloud, "v2"))
      assert.deepStrictEqual(
        seen.traffic.map(({ percent }) => percent),
        [100]
      )
      assert.match(seen.endpoints?.[plan.candidate.id] ?? "", /^https:/)
    })
  )

  it.effect("reads again where the service was changed between its reading and its writing", () =>
    Effect.gen(function* () {
      const cloud = RevisionsProvider.make()
      let guards = 0
      yield* deploy(cloud, "v1")
      const foreign = yield* cloud.provider.plan(ref, { version: "v3" })
      const given = testMutation("raced", {
        guard: Effect.suspend(() =>
          ++guards > 1
            ? Effect.void
            : Effect.asVoid(cloud.provider.stage(ref, { plan: foreign, capacityPercent: 100 }, mutation("other")))
        )
      })
      yield* passing(stage(cloud, "v2", given))
      assert.strictEqual(guards, 2)
      assert.deepStrictEqual(cloud.ledger.map(({ idempotencyKey }) => idempotencyKey).slice(-2), ["other", "raced"])
    })
  )

  it.effect("goes back to a kept revision by a switch, and builds a pruned one again", () =>
    Effect.gen(function* () {
      const cloud = RevisionsProvider.make({ revisions: 2 })
      cloud.script("*", "*", { stageMillis: 60_000 })
      yield* deploy(cloud, "v1")
      const toFirst = (yield* deploy(cloud, "v2")).checkpoint
      const toSecond = (yield* deploy(cloud, "v3")).checkpoint
      const { canGoBack } = cloud.provider
      assert.strictEqual((yield* canGoBack!(ref, toSecond)).how, "switch")
      assert.strictEqual((yield* canGoBack!(ref, toFirst)).how, "rebuild")
      assert.isBelow(yield* took(cloud.provider.rollback(ref, toSecond, mutation("second"))), 10_000)
      assert.isAtLeast(yield* took(cloud.provider.rollback(ref, toFirst, mutation("first"))), 60_000)
    })
  )

  it.effect("lets a newer operation take over, and tells the older one", () =>
    Effect.gen(function* () {
      const cloud = RevisionsProvider.make()
      const plan = yield* deploy(cloud, "v1")
      const caller = yield* Effect.forkChild(Effect.flip(stage(cloud, "v2")))
      yield* TestClock.adjust("1 second")
      yield* passing(cloud.provider.rollback(ref, { ...plan.checkpoint, release: plan.candidate }, mutation("back")))
      const error = yield* Fiber.join(caller)
      assert.strictEqual(error.reason._tag, "Conflict")
      assert.deepStrictEqual((yield* cloud.inspect(ref)).releases, [plan.candidate.id])
    })
  )
})
