import { assert, it } from "@effect/vitest"
import type { Lease } from "@signalbox/core/spi"
import { makeLeaseStore } from "@signalbox/core/store"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

/** A database whose clock goes behind this one, or before it, by so many ms. */
const skewed = (by: number, jitter = () => 0) => {
  const rows = new Map<string, Lease>()
  const now = Effect.map(Clock.currentTimeMillis, (time) => time + by + jitter())
  return makeLeaseStore({
    get: (key) => Effect.map(now, (now) => ({ lease: rows.get(key), now })),
    list: Effect.map(now, (now) => ({ leases: [...rows.values()], now })),
    swap: (before, after) =>
      Effect.sync(() => {
        const present = rows.get(after.key)
        if (present?.fence !== before?.fence || present?.expiresAt !== before?.expiresAt) return false
        rows.set(after.key, after)
        return true
      })
  })
}

for (const by of [-20_000, 20_000]) {
  it.effect(`leases use the caller's clock if the store's clock is off by ${by} ms`, () =>
    Effect.gen(function* () {
      yield* TestClock.adjust("1 hour")
      const leases = skewed(by)
      const options = { key: "k", holder: "a", owner: "p", ttl: Duration.seconds(15) }
      const lease = yield* leases.acquire(options)
      const begun = yield* Clock.currentTimeMillis
      assert.deepStrictEqual([lease.acquiredAt, lease.expiresAt], [begun, begun + 15_000])
      assert.deepStrictEqual([yield* leases.get("k"), (yield* leases.list)[0]], [lease, lease])
      yield* TestClock.adjust("10 seconds")
      const renewed = yield* leases.renew(lease, Duration.seconds(15))
      assert.strictEqual(renewed.expiresAt, begun + 25_000)
      const refused = yield* Effect.flip(leases.acquire({ ...options, holder: "b" }))
      assert.strictEqual(refused._tag === "LeaseHeld" && refused.lease.expiresAt, begun + 25_000)
      yield* leases.release(renewed)
      assert.strictEqual((yield* leases.get("k"))!.expiresAt, 0)
    })
  )
}

it.effect("a lease keeps its times while the store's clock stays about as wrong as it was", () =>
  Effect.gen(function* () {
    yield* TestClock.adjust("1 hour")
    let asked = 0
    const leases = skewed(20_000, () => (asked++ % 3) * 4)
    const lease = yield* leases.acquire({ key: "k", holder: "a", owner: "p", ttl: Duration.seconds(15) })
    for (let n = 0; n < 5; n++) assert.deepStrictEqual(yield* leases.get("k"), lease)
  })
)
