/**
 * The checks of `ProviderSuite` for the optional groups of the port.
 */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type { Capabilities } from "../../spi/index.ts"
import { type Driver, reasonOf } from "./ProviderSuiteDriver.ts"

export type Check = (title: string, body: (driver: Driver) => Effect.Effect<unknown, unknown, Scope.Scope>) => void

export const traffic = (check: Check, capabilities: Capabilities): void => {
  if (capabilities.firstRelease === "live") {
    check("gives a first release all traffic at once, as it declares", (driver) =>
      Effect.gen(function* () {
        const { plan, seen } = yield* driver.stage("v1")
        assert.deepStrictEqual(
          seen.traffic.filter(({ percent }) => percent > 0),
          [{ releaseId: plan.candidate.id, percent: 100 }]
        )
        yield* driver.serves({ v1: 100 })
      })
    )
  } else {
    check("gives a first release the traffic only when told so", (driver) =>
      Effect.gen(function* () {
        const { plan, seen } = yield* driver.stage("v1")
        assert.deepStrictEqual(
          seen.traffic.filter(({ percent }) => percent > 0),
          []
        )
        const shift = (percent: number) =>
          driver.provider.traffic!.shift(driver.ref, { releaseId: plan.candidate.id, percent }, driver.mutation())
        yield* shift(0)
        yield* driver.serves({})
        yield* shift(100)
        yield* driver.serves({ v1: 100 })
      })
    )
  }

  check("returns from a switch when the new release really answers", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const { plan } = yield* driver.stage("v2")
      const seen = yield* driver.provider.traffic!.shift(
        driver.ref,
        { releaseId: plan.candidate.id, percent: 100 },
        driver.mutation()
      )
      assert.deepStrictEqual(
        seen.traffic.filter(({ percent }) => percent > 0),
        [{ releaseId: plan.candidate.id, percent: 100 }]
      )
      yield* driver.serves({ v2: 100 })
      yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
      yield* driver.serves({ v1: 100 })
    })
  )

  check("refuses to retire a release that carries traffic", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const { plan } = yield* driver.stage("v2")
      const before = yield* driver.truth
      const refused = yield* Effect.flip(
        driver.provider.traffic!.retire(driver.ref, { keep: plan.candidate.id, capacityPercent: 0 }, driver.mutation())
      )
      assert.strictEqual(reasonOf(refused), "Conflict")
      assert.deepStrictEqual(yield* driver.truth, before)
    })
  )

  check("makes the release that is kept the stable one", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const release = yield* driver.deploy("v2")
      yield* driver.isStable("v2", release)
    })
  )

  check("drops a candidate without traffic when the stable release is kept", (driver) =>
    Effect.gen(function* () {
      const release = yield* driver.deploy("v1")
      yield* driver.stage("v2")
      yield* driver.provider.traffic!.retire(driver.ref, { keep: release.id, capacityPercent: 0 }, driver.mutation())
      yield* driver.isStable("v1", release)
    })
  )

  check("does not shift to a release that is not there", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const { plan } = yield* driver.stage("v2")
      yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
      const refused = yield* Effect.flip(
        driver.provider.traffic!.shift(driver.ref, { releaseId: plan.candidate.id, percent: 100 }, driver.mutation())
      )
      assert.include(["Missing", "Conflict"], reasonOf(refused))
      yield* driver.serves({ v1: 100 })
    })
  )

  if (capabilities.traffic === "switch") {
    check("refuses to divide traffic", (driver) =>
      Effect.gen(function* () {
        yield* driver.deploy("v1")
        const { plan } = yield* driver.stage("v2")
        const refused = yield* Effect.flip(
          driver.provider.traffic!.shift(driver.ref, { releaseId: plan.candidate.id, percent: 10 }, driver.mutation())
        )
        assert.strictEqual(reasonOf(refused), "Unsupported")
        yield* driver.serves({ v1: 100 })
      })
    )
  } else {
    check("divides traffic as asked, and reads it back", (driver) =>
      Effect.gen(function* () {
        const release = yield* driver.deploy("v1")
        const { plan } = yield* driver.stage("v2")
        for (const percent of [10, 50, 25, 0, 100]) {
          const seen = yield* driver.provider.traffic!.shift(
            driver.ref,
            { releaseId: plan.candidate.id, percent },
            driver.mutation()
          )
          const shares = new Map(seen.traffic.map(({ percent, releaseId }) => [releaseId, percent]))
          assert.strictEqual(shares.get(plan.candidate.id) ?? 0, percent)
          assert.strictEqual(shares.get(release.id) ?? 0, 100 - percent)
          yield* driver.serves({ v1: 100 - percent, v2: percent })
        }
      })
    )

    check("goes back from the middle of a shift", (driver) =>
      Effect.gen(function* () {
        const release = yield* driver.deploy("v1")
        const { plan } = yield* driver.stage("v2")
        yield* driver.provider.traffic!.shift(
          driver.ref,
          { releaseId: plan.candidate.id, percent: 50 },
          driver.mutation()
        )
        yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
        yield* driver.isStable("v1", release)
      })
    )
  }

  check("goes back after a switch, before the old release was retired", (driver) =>
    Effect.gen(function* () {
      const release = yield* driver.deploy("v1")
      const { plan } = yield* driver.stage("v2")
      yield* driver.provider.traffic!.shift(
        driver.ref,
        { releaseId: plan.candidate.id, percent: 100 },
        driver.mutation()
      )
      yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
      yield* driver.isStable("v1", release)
    })
  )

  check("finishes an interrupted shift when it is repeated", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const { plan } = yield* driver.stage("v2")
      const shift = driver.provider.traffic!.shift(
        driver.ref,
        { releaseId: plan.candidate.id, percent: 100 },
        driver.mutation({ key: "cut-shift" })
      )
      yield* Effect.timeoutOption(shift, 1)
      yield* shift
      yield* driver.serves({ v2: 100 })
      yield* driver.tookEffectOnce("cut-shift")
    })
  )

  if (capabilities.capacity) {
    check("brings in capacity by parts, and takes it away by parts", (driver) =>
      Effect.gen(function* () {
        const release = yield* driver.deploy("v1")
        const full = (yield* driver.observe).health[release.id]!.total
        const half = yield* driver.stage("v2", { capacityPercent: 50 })
        assert.strictEqual(half.seen.health[half.plan.candidate.id]!.total, Math.ceil(full / 2))
        yield* driver.provider.traffic!.shift(
          driver.ref,
          { releaseId: half.plan.candidate.id, percent: 50 },
          driver.mutation()
        )
        const less = yield* driver.provider.traffic!.retire(
          driver.ref,
          { keep: half.plan.candidate.id, capacityPercent: 50 },
          driver.mutation()
        )
        assert.strictEqual(less.health[release.id]!.total, Math.ceil(full / 2))
        assert.strictEqual(less.stable?.id, release.id)
        const whole = yield* driver.provider.stage(
          driver.ref,
          { plan: half.plan, capacityPercent: 100 },
          driver.mutation()
        )
        assert.strictEqual(whole.health[half.plan.candidate.id]!.total, full)
        yield* driver.provider.rollback(driver.ref, half.plan.checkpoint, driver.mutation())
        yield* driver.isStable("v1", release)
        assert.strictEqual((yield* driver.observe).health[release.id]!.total, full)
      })
    )
  }
}

export const drift = (check: Check): void => {
  check("finds no drift where there is none", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      assert.deepStrictEqual(yield* driver.provider.drift!.detect(driver.ref), [])
      yield* driver.provider.drift!.correct(driver.ref, [], driver.mutation())
      yield* driver.serves({ v1: 100 })
    })
  )
}

export const corrects = (check: Check): void => {
  check("finds each field that was changed behind it, and corrects only what is named", (driver) =>
    Effect.gen(function* () {
      const { harness, provider, ref } = driver
      if (harness.tamper === undefined) return
      const { change, fields } = harness.tamper
      const [first = "", ...others] = fields
      const drifted = Effect.map(provider.drift!.detect(ref), (found) => found.map(({ field }) => field).sort())
      yield* driver.deploy("v1")
      for (const field of fields) yield* change(field)
      for (const { actual, expected, field } of yield* provider.drift!.detect(ref)) {
        assert.notStrictEqual(actual, expected, field)
      }
      assert.deepStrictEqual(yield* drifted, [...fields].sort())
      yield* provider.drift!.correct(ref, [first], driver.mutation())
      assert.deepStrictEqual(yield* drifted, others.sort())
      yield* provider.drift!.correct(ref, others, driver.mutation())
      assert.deepStrictEqual(yield* drifted, [])
    })
  )
}

export const restart = (check: Check): void => {
  check("replaces everything that runs, once for each key", (driver) =>
    Effect.gen(function* () {
      const { instances } = driver.harness.probe
      if (instances === undefined) return
      yield* driver.deploy("v1")
      const before = yield* instances
      assert.isAbove(before.length, 0)
      const restart = () => driver.provider.restart!(driver.ref, driver.mutation({ key: "restart" }))
      yield* restart()
      const after = yield* instances
      assert.isAbove(after.length, 0)
      assert.deepStrictEqual(
        after.filter((name) => before.includes(name)),
        []
      )
      yield* restart()
      assert.sameMembers([...(yield* instances)], [...after])
    })
  )

  check("restarts what is there and leaves it serving", (driver) =>
    Effect.gen(function* () {
      const release = yield* driver.deploy("v1")
      yield* driver.provider.restart!(driver.ref, driver.mutation())
      yield* driver.isStable("v1", release)
    })
  )
}

export const events = (check: Check): void => {
  const since = ({ provider, ref }: Driver, cursor: string | null, from = 0) =>
    provider.events!.since(ref, cursor, { from })

  check("tells what happens once, in order, and goes on where a cursor stands", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const first = yield* since(driver, null)
      const ids = first.events.map(({ id }) => id)
      assert.isAbove(ids.length, 0)
      assert.strictEqual(new Set(ids).size, ids.length)
      const times = first.events.map(({ at }) => at)
      assert.deepStrictEqual(
        times,
        times.toSorted((left, right) => left - right)
      )
      assert.deepStrictEqual((yield* since(driver, first.cursor)).events, [])
      yield* driver.deploy("v2")
      const later = (yield* since(driver, first.cursor)).events.map(({ id }) => id)
      assert.isAbove(later.length, 0)
      assert.deepStrictEqual(
        later.filter((id) => ids.includes(id)),
        []
      )
    })
  )

  check("begins at a time, so that a long history costs nothing", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const before = (yield* since(driver, null)).events
      yield* Effect.sleep(20)
      const from = yield* Clock.currentTimeMillis
      yield* driver.deploy("v2")
      const later = (yield* since(driver, null, from)).events.map(({ id }) => id)
      assert.isAbove(later.length, 0)
      assert.deepStrictEqual(
        before.filter(({ id }) => later.includes(id)),
        []
      )
    })
  )

  check("reports progress under the ids of its events", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const told = driver.told.map(({ id }) => id)
      const ids = (yield* since(driver, null)).events.map(({ id }) => id)
      assert.deepStrictEqual(
        told.filter((id) => !ids.includes(id)),
        []
      )
    })
  )

  check("takes the id of an event for a cursor", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const [first, ...others] = (yield* since(driver, null)).events
      assert.deepStrictEqual((yield* since(driver, first!.id)).events, others)
    })
  )

  check("tells everything again where it does not know the cursor", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const all = yield* since(driver, null)
      assert.deepStrictEqual((yield* since(driver, "no-such-event")).events, all.events)
    })
  )
}

export const compared = (check: Check): void => {
  check("refuses a holder that was overtaken", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const { plan } = yield* driver.stage("v2", { fence: 7 })
      const before = yield* driver.truth
      for (const stale of driver.mutations(plan, { fence: 6 })) {
        assert.strictEqual(reasonOf(yield* Effect.flip(stale)), "Fenced")
        assert.deepStrictEqual(yield* driver.truth, before)
      }
      yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation({ fence: 7 }))
    })
  )
}

export const fence = (check: Check): void => {
  const told = ({ provider, ref }: Driver, token: number) => provider.fence!(ref, token)

  check("refuses a holder of whose successor it was only told", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const { plan } = yield* driver.stage("v2", { fence: 6 })
      const before = yield* driver.truth
      yield* told(driver, 7)
      yield* told(driver, 7)
      assert.strictEqual(reasonOf(yield* Effect.flip(told(driver, 6))), "Fenced")
      for (const stale of driver.mutations(plan, { fence: 6 })) {
        assert.strictEqual(reasonOf(yield* Effect.flip(stale)), "Fenced")
        assert.deepStrictEqual(yield* driver.truth, before)
      }
      yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation({ fence: 7 }))
    })
  )

  check("refuses the first call of one that was overtaken before it began", (driver) =>
    Effect.gen(function* () {
      yield* told(driver, 2)
      assert.strictEqual(reasonOf(yield* Effect.flip(driver.stage("v1", { fence: 1 }))), "Fenced")
      assert.deepStrictEqual(yield* driver.truth, driver.nothing)
    })
  )
}
