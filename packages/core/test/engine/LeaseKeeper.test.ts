import { assert, describe, it } from "@effect/vitest"
import { LeaseStore, StoreError } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import { Duration, Effect, SubscriptionRef } from "effect"
import { TestClock } from "effect/testing"
import * as LeaseKeeper from "../../src/engine/LeaseKeeper.ts"

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

  it.effect("is asked for every third of its time, and is lost once it is over", () =>
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
