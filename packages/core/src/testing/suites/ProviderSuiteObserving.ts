/**
 * The checks of `ProviderSuite` for what a provider observes: gates and teardowns rely on it.
 */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { AlarmState, Observation } from "../../spi/index.ts"
import type { PlatformFault } from "./ProviderSuiteFailures.ts"
import type { Check } from "./ProviderSuiteGroups.ts"

export const adoption = (check: Check): void => {
  check("takes a live service that it did not deploy for the stable release", (driver) =>
    Effect.gen(function* () {
      assert.isDefined(driver.harness.live, "the harness of a provider that adopts has `live`")
      yield* driver.harness.live!
      const seen = yield* driver.observe
      assert.strictEqual(seen.status, "ready")
      assert.isNotNull(seen.stable)
      const before = [{ releaseId: seen.stable!.id, percent: 100 }]
      assert.deepStrictEqual(seen.traffic, before)
      const { plan, seen: staged } = yield* driver.stage("v2")
      assert.strictEqual(plan.action, "update")
      assert.strictEqual(plan.checkpoint.release?.id, seen.stable!.id)
      assert.deepStrictEqual(
        staged.traffic.filter(({ percent }) => percent > 0),
        before
      )
      yield* driver.serves({ v1: 100 })
      yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
      yield* driver.serves({ v1: 100 })
    })
  )
}

export const observing = (check: Check): void => {
  check("gives the addresses of releases that are there, and of no others", (driver) =>
    Effect.gen(function* () {
      const before = yield* driver.deploy("v1")
      const { plan, seen } = yield* driver.stage("v2")
      const { endpoints } = seen
      if (endpoints === undefined) return
      assert.deepStrictEqual(
        Object.keys(endpoints).filter((id) => id !== before.id && id !== plan.candidate.id),
        []
      )
      for (const url of Object.values(endpoints)) assert.match(url, /^https?:\/\//)
      yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
      assert.notProperty((yield* driver.observe).endpoints ?? {}, plan.candidate.id)
    })
  )

  check("counts an instance as healthy only once it is ready", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("slow")
      const begun = yield* Clock.currentTimeMillis
      const stage = yield* Effect.forkChild(
        driver.provider.stage(driver.ref, { plan, capacityPercent: 100 }, driver.mutation())
      )
      yield* driver.underWay(plan.candidate.id)
      const early = (yield* driver.observe).health[plan.candidate.id]
      // A platform may not count instances that it is still creating. On a busy machine they may be ready by now.
      const inTime = (yield* Clock.currentTimeMillis) - begun < slowMillis
      if (inTime && early !== undefined && early.total > 0) assert.isBelow(early.healthy, early.total)
      const ready = (yield* Fiber.join(stage)).health[plan.candidate.id]
      assert.strictEqual(ready?.healthy, ready?.total)
    })
  )

  check("reports the health of what is live: of at least one instance, or of the release as a whole", (driver) =>
    Effect.gen(function* () {
      const release = yield* driver.deploy("v1")
      const health = (yield* driver.observe).health[release.id]
      assert.isDefined(health)
      assert.isAbove(health!.total, 0)
      assert.strictEqual(health!.healthy, health!.total)
      if (health!.unit === "release") assert.strictEqual(health!.total, 1)
    })
  )
}

/** How long `slow` takes at least. */
const slowMillis = 500

/** Reads of a platform may be older than a mutation that has just returned; what an adapter says must not be. */
export const reads = (
  check: Check,
  { controls, stale }: { readonly controls: boolean; readonly stale?: PlatformFault | undefined }
): void => {
  check("says nothing older than a mutation that has returned", (driver) =>
    Effect.gen(function* () {
      const { harness, provider, ref } = driver
      const agrees = (mutated: Observation | undefined, facts: Partial<Record<keyof Observation, unknown>>) =>
        Effect.map(driver.observe, (observed) => {
          for (const seen of [...(mutated === undefined ? [] : [mutated]), observed]) {
            const { candidate, stable, status, traffic } = seen
            const found: Readonly<Record<string, unknown>> = {
              status,
              stable: stable?.id,
              candidate: candidate?.id,
              traffic: Object.fromEntries(
                traffic.flatMap((one) => (one.percent > 0 ? [[one.releaseId, one.percent]] : []))
              )
            }
            assert.deepStrictEqual({ ...found, ...facts }, found)
          }
        })
      const first = yield* driver.deploy("v1")
      if (stale !== undefined) yield* stale.begin(harness)
      const { plan, seen } = yield* driver.stage("v2")
      const { id } = plan.candidate
      if (provider.traffic !== undefined && controls) {
        yield* agrees(seen, { stable: first.id, candidate: id, traffic: { [first.id]: 100 } })
        const { retire, shift } = provider.traffic
        yield* agrees(yield* shift(ref, { releaseId: id, percent: 100 }, driver.mutation()), { traffic: { [id]: 100 } })
        yield* agrees(yield* retire(ref, { keep: id, capacityPercent: 0 }, driver.mutation()), {
          stable: id,
          candidate: undefined
        })
      } else {
        yield* agrees(seen, { stable: id, traffic: { [id]: 100 } })
      }
      assert.strictEqual((yield* driver.plan("v2")).action, "none")
      yield* agrees(yield* provider.rollback(ref, plan.checkpoint, driver.mutation()), {
        stable: first.id,
        traffic: { [first.id]: 100 }
      })
      yield* provider.destroy(ref, driver.mutation())
      yield* agrees(undefined, { status: "absent", stable: undefined })
      assert.strictEqual((yield* driver.plan("v1")).action, "create")
      if (stale !== undefined) yield* stale.end(harness)
    })
  )
}

export const wayBack = (check: Check): void => {
  check("goes back where it says that it can, and changes nothing by being asked", (driver) =>
    Effect.gen(function* () {
      const canGoBack = driver.provider.canGoBack!
      const release = yield* driver.deploy("v1")
      const { plan } = yield* driver.stage("v2")
      const before = yield* driver.truth
      assert.notStrictEqual((yield* canGoBack(driver.ref, plan.checkpoint)).how, "impossible")
      assert.deepStrictEqual(yield* driver.truth, before)
      yield* driver.deploy("v2")
      const later = yield* canGoBack(driver.ref, plan.checkpoint)
      assert.isAbove(later.why.length, 0)
      if (later.how !== "impossible") {
        yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
        yield* driver.isStable("v1", release)
      }
      yield* driver.provider.destroy(driver.ref, driver.mutation())
      if ((yield* canGoBack(driver.ref, plan.checkpoint)).how === "impossible") return
      yield* driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation())
      yield* driver.isStable("v1", release)
    })
  )
}

export const lostWay = (check: Check): void => {
  check("does not say that it can switch back to a release that the platform has lost", (driver) =>
    Effect.gen(function* () {
      const { forget } = driver.harness
      if (forget === undefined) return
      const release = yield* driver.deploy("v1")
      const { checkpoint } = yield* driver.plan("v2")
      yield* driver.deploy("v2")
      yield* forget(release)
      const { how } = yield* driver.provider.canGoBack!(driver.ref, checkpoint)
      assert.notStrictEqual(how, "switch")
      const back = driver.provider.rollback(driver.ref, checkpoint, driver.mutation())
      if (how === "rebuild") {
        yield* back
        return yield* driver.isStable("v1", release)
      }
      yield* Effect.flip(back)
      yield* driver.serves({ v2: 100 })
    })
  )
}

export const alarms = (check: Check): void => {
  check("reads the state of each alarm, and takes missing data for no state", (driver) =>
    Effect.gen(function* () {
      assert.isDefined(driver.harness.alarm, "the harness of a provider with alarms has `alarm`")
      yield* driver.deploy("v1")
      const expected: Record<string, AlarmState> = {}
      for (const state of ["ok", "alarm", "insufficient_data"] as const) {
        expected[yield* driver.harness.alarm!(state)] = state
      }
      const states = yield* driver.provider.alarms!.states(driver.ref, Object.keys(expected))
      assert.deepStrictEqual({ ...states }, expected)
    })
  )
}
