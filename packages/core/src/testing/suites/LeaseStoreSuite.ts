/**
 * The contract of every lease store, as tests. Authors of an adapter run this suite on it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import { type DeploymentStore, type Lease, LeaseStore } from "../../spi/index.ts"
import { correlationId } from "./storeHistories.ts"
import { acquire, another, type Both, eventually, other, type Stores } from "./storeSuiteStores.ts"

/**
 * The options of the suite besides the layer.
 *
 * *Details*: `another` opens the same database again, as another process does. `probe` reads the database
 * independently: the fence kept for a key. `timeoutMillis` bounds each test (default 120,000).
 */
export interface LeaseStoreSuiteOptions {
  readonly another?: Layer.Layer<DeploymentStore | LeaseStore, unknown>
  readonly probe?: (key: string) => Effect.Effect<number | undefined, unknown>
  readonly timeoutMillis?: number
}

/**
 * Declares the suite: call it at the top of a test file. The tests run on the real clock.
 *
 * *Example*
 *
 * ```ts
 * LeaseStoreSuite.suite("memory", layerMemory)
 * ```
 */
export const suite = (
  name: string,
  layer: Layer.Layer<DeploymentStore | LeaseStore, unknown>,
  options: LeaseStoreSuiteOptions = {}
): void => {
  describe(`${name} keeps the LeaseStore port`, () => {
    it.layer(Layer.merge(layer, other(options.another)), { excludeTestServices: true })((it) => {
      const check = (title: string, body: Effect.Effect<unknown, unknown, Stores | Scope.Scope>) =>
        it.effect(title, () => body, options.timeoutMillis ?? 120_000)
      for (const [title, body] of tests) check(title, body)
      if (options.probe !== undefined) check("keeps the fence in its database", probed(options.probe))
    })
  })
}

const freshKey = Effect.map(correlationId, (id) => `DX6604E/${id} "ü" %_`)

const minute = Duration.minutes(1)

const short = (key: string, holder: string) =>
  Effect.flatMap(LeaseStore, (leases) =>
    leases.acquire({ key, holder, owner: `process of ${holder}`, ttl: Duration.millis(60) })
  )

const expired = (lease: Lease) => Effect.flatMap(LeaseStore, (leases) => eventually(Effect.flip(leases.check(lease))))

/** Runs it with a clock that is ahead by this many ms. */
const fastBy =
  (millis: number) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Clock.Clock, (clock) =>
      Effect.provideService(effect, Clock.Clock, {
        currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + millis,
        currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis),
        currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(millis) * 1_000_000n,
        currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + BigInt(millis) * 1_000_000n),
        monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
        monotonicTimeNanos: clock.monotonicTimeNanos,
        sleep: (duration) => clock.sleep(duration)
      })
    )

const tests: ReadonlyArray<Both> = [
  [
    "grants a free key, and shows it",
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const key = yield* freshKey
      assert.strictEqual(yield* leases.get(key), undefined)
      const lease = yield* leases.acquire({
        key,
        holder: "a",
        owner: "p1",
        ttl: minute,
        purpose: { kind: "deploy", by: "ada" }
      })
      assert.deepInclude(lease, { key, holder: "a", owner: "p1", purpose: { kind: "deploy", by: "ada" } })
      assert.strictEqual(lease.expiresAt - lease.acquiredAt, 60_000)
      assert.isAtLeast(lease.fence, 1)
      assert.deepStrictEqual(yield* leases.get(key), lease)
      assert.deepStrictEqual(
        (yield* leases.list).filter((held) => held.key === key),
        [lease]
      )
      yield* leases.check(lease)
      const plain = yield* acquire(yield* freshKey, "a")
      assert.notProperty(yield* leases.get(plain.key), "purpose")
    })
  ],
  [
    "refuses a held key, naming the lease",
    Effect.gen(function* () {
      const key = yield* freshKey
      const lease = yield* acquire(key, "a")
      const { leases } = yield* another
      for (const options of [{ sameHolder: true }, {}, { evict: lease.fence + 1 }, { evict: lease.fence - 1 }]) {
        const held = yield* Effect.flip(leases.acquire({ key, holder: "b", owner: "p2", ttl: minute, ...options }))
        assert.strictEqual(held._tag, "LeaseHeld")
        if (held._tag === "LeaseHeld") assert.deepStrictEqual({ ...held.lease }, { ...lease })
      }
      yield* leases.check(lease)
      yield* acquire(yield* freshKey, "b")
    })
  ],
  [
    "gives it again to the same holder and owner, with a higher fence",
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const first = yield* acquire(yield* freshKey, "a")
      const second = yield* acquire(first.key, "a")
      assert.isAbove(second.fence, first.fence)
      const lost = yield* Effect.flip(leases.check(first))
      assert.deepInclude(lost, { _tag: "LeaseLost", key: first.key, fence: first.fence })
      yield* leases.check(second)
    })
  ],
  [
    "gives it to another owner of the same holder only where that is asked for",
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const first = yield* acquire(yield* freshKey, "a")
      const take = { key: first.key, holder: "a", owner: "another process", ttl: minute }
      assert.strictEqual((yield* Effect.flip(leases.acquire(take)))._tag, "LeaseHeld")
      const second = yield* leases.acquire({ ...take, sameHolder: true })
      assert.isAbove(second.fence, first.fence)
      assert.strictEqual(second.owner, "another process")
      assert.strictEqual((yield* Effect.flip(leases.renew(first, minute)))._tag, "LeaseLost")
    })
  ],
  [
    "lets one of many win who ask at once",
    Effect.gen(function* () {
      const one = yield* LeaseStore
      const two = (yield* another).leases
      for (let round = 0; round < 5; round++) {
        const key = yield* freshKey
        const results = yield* Effect.forEach(
          Array.from({ length: 16 }, (_, n) => n),
          (n) =>
            Effect.result((n % 2 === 0 ? one : two).acquire({ key, holder: `h${n}`, owner: `p${n}`, ttl: minute })),
          { concurrency: "unbounded" }
        )
        const winners = results.filter(Result.isSuccess)
        assert.strictEqual(winners.length, 1)
        assert.strictEqual((yield* one.get(key))?.holder, winners[0]!.success.holder)
      }
    })
  ],
  [
    "lets one of many win who evict at once",
    Effect.gen(function* () {
      const one = yield* LeaseStore
      const two = (yield* another).leases
      const first = yield* acquire(yield* freshKey, "dead")
      const results = yield* Effect.forEach(
        Array.from({ length: 16 }, (_, n) => n),
        (n) =>
          Effect.result(
            (n % 2 === 0 ? one : two).acquire({
              key: first.key,
              holder: `h${n}`,
              owner: `p${n}`,
              ttl: minute,
              evict: first.fence
            })
          ),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(results.filter(Result.isSuccess).length, 1)
      assert.strictEqual((yield* Effect.flip(one.check(first)))._tag, "LeaseLost")
    })
  ],
  [
    "frees a key by itself when its time is over",
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const first = yield* short(yield* freshKey, "a")
      yield* expired(first)
      assert.strictEqual((yield* Effect.flip(leases.renew(first, minute)))._tag, "LeaseLost")
      assert.deepStrictEqual(
        (yield* leases.list).filter(({ key }) => key === first.key),
        []
      )
      const second = yield* acquire(first.key, "b")
      assert.isAbove(second.fence, first.fence)
      assert.strictEqual((yield* Effect.flip(leases.renew(first, minute)))._tag, "LeaseLost")
      yield* leases.release(first)
      yield* leases.check(second)
    })
  ],
  [
    "prolongs from now and leaves the fence",
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const first = yield* acquire(yield* freshKey, "a")
      const second = yield* leases.renew(first, Duration.minutes(10))
      assert.strictEqual(second.fence, first.fence)
      assert.strictEqual(second.acquiredAt, first.acquiredAt)
      assert.isAtLeast(second.expiresAt, first.acquiredAt + 600_000)
      yield* leases.check(first)
      const third = yield* leases.renew(second, Duration.millis(40))
      assert.isBelow(third.expiresAt, second.expiresAt)
      yield* expired(third)
    })
  ],
  [
    "releases as often as asked, and keeps the fence growing",
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      const first = yield* acquire(yield* freshKey, "a")
      yield* leases.release(first)
      yield* leases.release(first)
      assert.deepInclude(yield* leases.get(first.key), { fence: first.fence, expiresAt: 0 })
      assert.strictEqual((yield* Effect.flip(leases.check(first)))._tag, "LeaseLost")
      assert.strictEqual((yield* Effect.flip(leases.renew(first, minute)))._tag, "LeaseLost")
      const second = yield* acquire(first.key, "b")
      assert.isAbove(second.fence, first.fence)
      yield* leases.release(first)
      yield* leases.check(second)
      yield* leases.release({ ...second, key: `${second.key} without a holder` })
    })
  ],
  [
    "never gives a fence twice, however the lease ends",
    Effect.gen(function* () {
      const one = yield* LeaseStore
      const two = (yield* another).leases
      const key = yield* freshKey
      const fences: Array<number> = []
      for (let round = 0; round < 12; round++) {
        const leases = round % 2 === 0 ? one : two
        const before = yield* leases.get(key)
        const lease = yield* leases.acquire({
          key,
          holder: `h${round}`,
          owner: "p",
          ttl: round % 3 === 0 ? Duration.millis(20) : minute,
          ...(before === undefined ? {} : { evict: before.fence })
        })
        fences.push(lease.fence)
        if (round % 3 === 0) yield* expired(lease)
        if (round % 3 === 1) yield* leases.release(lease)
      }
      assert.deepStrictEqual(
        fences,
        [...new Set(fences)].sort((left, right) => left - right)
      )
    })
  ],
  [
    "tells whether it is held as it decides it, also those whose clock is wrong",
    Effect.gen(function* () {
      const leases = yield* LeaseStore
      for (const by of [20_000, -20_000]) {
        const held = yield* leases.acquire({
          key: yield* freshKey,
          holder: "a",
          owner: "p1",
          ttl: Duration.seconds(10)
        })
        const over = yield* short(yield* freshKey, "a")
        yield* expired(over)
        for (const { key } of [held, over]) {
          const seen = yield* fastBy(by)(
            Effect.gen(function* () {
              const now = yield* Clock.currentTimeMillis
              const isHeld = (lease: Lease | undefined) => lease !== undefined && lease.expiresAt > now
              const got = isHeld(yield* leases.get(key))
              const listed = isHeld((yield* leases.list).find((lease) => lease.key === key))
              const asked = yield* Effect.result(leases.acquire({ key, holder: "b", owner: "p2", ttl: minute }))
              const refused = Result.isFailure(asked) && asked.failure._tag === "LeaseHeld" ? asked.failure : undefined
              return { got, listed, refused: isHeld(refused?.lease), isRefused: refused !== undefined }
            })
          )
          const is = seen.isRefused
          assert.deepStrictEqual(seen, { got: is, listed: is, refused: is, isRefused: is }, `${key}, off by ${by}`)
        }
      }
    })
  ],
  [
    "holds while it is renewed, whatever others request meanwhile",
    Effect.gen(function* () {
      const one = yield* LeaseStore
      const two = (yield* another).leases
      const key = yield* freshKey
      let lease = yield* one.acquire({ key, holder: "a", owner: "p1", ttl: Duration.seconds(2) })
      for (let n = 0; n < 10; n++) {
        const [renewed, refused] = yield* Effect.all(
          [
            one.renew(lease, Duration.seconds(2)),
            Effect.flip(two.acquire({ key, holder: "b", owner: "p2", ttl: minute }))
          ],
          { concurrency: "unbounded" }
        )
        lease = renewed
        assert.strictEqual(refused._tag, "LeaseHeld")
      }
    })
  ]
]

const probed = (probe: NonNullable<LeaseStoreSuiteOptions["probe"]>) =>
  Effect.gen(function* () {
    const leases = yield* LeaseStore
    const key = yield* freshKey
    assert.strictEqual(yield* probe(key), undefined)
    const lease = yield* acquire(key, "a")
    assert.strictEqual(yield* probe(key), lease.fence)
    yield* leases.release(lease)
    assert.strictEqual(yield* probe(key), lease.fence)
    assert.strictEqual((yield* acquire(key, "b")).fence, yield* probe(key))
  })
