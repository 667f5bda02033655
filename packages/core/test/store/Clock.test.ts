import { assert, it } from "@effect/vitest"
import { LeaseStore } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

it.effect("leases in memory expire by the Effect clock", () =>
  Effect.gen(function* () {
    const leases = yield* LeaseStore
    const ask = (holder: string) => leases.acquire({ key: "k", holder, owner: holder, ttl: Duration.seconds(15) })
    const first = yield* ask("a")
    yield* TestClock.adjust("14999 millis")
    yield* leases.check(first)
    assert.strictEqual((yield* Effect.flip(ask("b")))._tag, "LeaseHeld")
    const renewed = yield* leases.renew(first, Duration.seconds(1))
    assert.strictEqual(renewed.expiresAt, 15_999)
    yield* TestClock.adjust("1 second")
    assert.strictEqual((yield* Effect.flip(leases.check(renewed)))._tag, "LeaseLost")
    assert.strictEqual((yield* Effect.flip(leases.renew(renewed, Duration.seconds(1))))._tag, "LeaseLost")
    assert.strictEqual((yield* ask("b")).fence, 2)
  }).pipe(Effect.provide(layerMemory))
)
