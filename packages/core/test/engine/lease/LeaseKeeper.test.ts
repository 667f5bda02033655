import { assert, describe, it } from "@effect/vitest"
import { type Lease, LeaseLost, LeaseStore, StoreError } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { Clock, Duration, Effect, Fiber, Layer, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import * as LeaseKeeper from "../../../src/engine/lease/LeaseKeeper.ts"

const ttl = Duration.seconds(15)
const away = new StoreError({ operation: "renew", reason: "Unavailable", detail: "no route" })

/** A lease whose store is away between two times, in seconds after it was acquired. */
const kept = (from: number, to: number) =>
  Effect.gen(function* () {
    const leases = yield* LeaseStore
    const asked: Array<number> = []
    let now = 0
    const lease = yield* leases.acquire({ key: "lock", holder: "one", owner: "one", ttl })
    const held = yield* LeaseKeeper.keep(lease, ttl).pipe(
      Effect.provideService(LeaseStore, {
        ...leases,
        renew: (...of) =>
          Effect.suspend(() => {
            asked.push(now)
            return now >= from && now < to ? Effect.fail(away) : leases.renew(...of)
          })
      })
    )
    const passed = (seconds: number) =>
      Effect.gen(function* () {
        for (const until = now + seconds; now < until;) {
          now += 0.5
          yield* TestClock.adjust("500 millis")
        }
      })
    return { lease: held, asked, passed }
  })

describe("a lease that is kept", () => {
  it.effect("outlives an absence of the store long before its end", () =>
    Effect.gen(function* () {
      const { lease, passed } = yield* kept(4.5, 10.5)
      yield* passed(11)
      assert.isAtLeast(yield* SubscriptionRef.get(lease.deadline), 25_000)
      yield* passed(30)
      yield* lease.check
    }).pipe(Effect.scoped, Effect.provide(layerMemory))
  )

  it.effect("is renewed every third of its time, and is lost once it is over", () =>
    Effect.gen(function* () {
      const { asked, lease, passed } = yield* kept(12, 60)
      yield* passed(24)
      assert.deepStrictEqual(asked.slice(0, 2), [5, 10])
      assert.isAbove(yield* SubscriptionRef.get(lease.deadline), 0)
      yield* passed(2)
      assert.strictEqual(yield* SubscriptionRef.get(lease.deadline), 0)
      const lost = yield* Effect.flip(lease.lost)
      assert.strictEqual(lost._tag === "LeaseLost" ? lost.outage?.message : lost._tag, "renew: no route")
      const often = asked.length
      yield* passed(10)
      assert.strictEqual(asked.length, often)
    }).pipe(Effect.scoped, Effect.provide(layerMemory))
  )
})

const leaseOn = (key: string): Lease => ({
  key,
  holder: "one",
  owner: "one",
  fence: 1,
  acquiredAt: 0,
  expiresAt: 15_000
})

/** A claim and a lease that the store reports as held, after `delays` in ms; neither is renewed. */
const claimAndLock = (delays: { readonly claim: number; readonly lock: number }) =>
  Effect.gen(function* () {
    const claim = yield* LeaseKeeper.keep(leaseOn("claim"), ttl)
    const lock = yield* LeaseKeeper.keep(leaseOn("lock"), Duration.seconds(60))
    return { claim, lock, checked: LeaseKeeper.checkAll([claim, lock]) }
  }).pipe(
    Effect.provide(
      Layer.mock(LeaseStore, {
        check: ({ key }) => Effect.sleep(key === "claim" ? delays.claim : delays.lock),
        renew: () => Effect.never,
        release: () => Effect.void
      })
    )
  )

describe("leases that are checked together", () => {
  it.effect("let pass while all are held", () =>
    Effect.gen(function* () {
      const { checked } = yield* claimAndLock({ claim: 0, lock: 0 })
      const checking = yield* Effect.forkChild(checked)
      yield* TestClock.adjust(0)
      yield* Fiber.join(checking)
    }).pipe(Effect.scoped)
  )

  it.effect("do not if the first one is over when the second one is answered", () =>
    Effect.gen(function* () {
      // The process was stopped between the two answers.
      const { checked } = yield* claimAndLock({ claim: 0, lock: 20_000 })
      const checking = yield* Effect.forkChild(Effect.flip(checked))
      yield* TestClock.adjust("20 seconds")
      const lost = yield* Fiber.join(checking)
      assert.instanceOf(lost, LeaseLost)
      assert.strictEqual((lost as LeaseLost).key, "claim")
    }).pipe(Effect.scoped)
  )

  it.effect("do not if the wall clock was set back meanwhile", () =>
    Effect.gen(function* () {
      const clock = yield* Clock.Clock
      let back = 0
      const wall = () => clock.currentTimeMillisUnsafe() - back
      const setBack: Clock.Clock = {
        ...clock,
        currentTimeMillisUnsafe: wall,
        currentTimeMillis: Effect.sync(wall),
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
        monotonicTimeNanos: clock.monotonicTimeNanos,
        sleep: (duration) => clock.sleep(duration)
      }
      const { checked } = yield* claimAndLock({ claim: 20_000, lock: 0 }).pipe(
        Effect.provideService(Clock.Clock, setBack)
      )
      const checking = yield* Effect.forkChild(Effect.flip(Effect.provideService(checked, Clock.Clock, setBack)))
      back = 3_600_000
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Fiber.join(checking))._tag, "LeaseLost")
    }).pipe(Effect.scoped)
  )
})
