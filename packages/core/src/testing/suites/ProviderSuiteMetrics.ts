/**
 * The checks of `ProviderSuite` for a provider's own metric source.
 */
import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as MetricWindow from "../../analysis/MetricWindow.ts"
import { grainOf } from "../../internal/grainOf.ts"
import type { Driver } from "./ProviderSuiteDriver.ts"
import type { Check } from "./ProviderSuiteGroups.ts"

const minute = 60_000

/** The window of the last complete periods, as a gate would ask for it. */
const window = ({ provider }: Driver) =>
  Effect.map(Clock.currentTimeMillis, (now) =>
    MetricWindow.windowAt(grainOf(provider.metrics), { now, length: minute, notBefore: -Infinity })
  )

/** Waits until what has happened up to now is in the complete periods. */
const complete = ({ provider }: Driver) => {
  const { lag, resolution } = grainOf(provider.metrics)
  return Effect.sleep(resolution + lag)
}

export const metrics = (checkAtOnce: Check): void => {
  const check: Check = (title, body) =>
    checkAtOnce(title, (driver) => {
      const { clock } = driver.harness
      return clock === undefined ? body(driver) : Effect.provideService(body(driver), Clock.Clock, clock)
    })
  check("measures each release by itself", (driver) =>
    Effect.gen(function* () {
      const release = yield* driver.deploy("v1")
      const { plan } = yield* driver.stage("v2")
      yield* Effect.sleep(100)
      yield* driver.serves({ v1: 100 })
      yield* complete(driver)
      const last = yield* window(driver)
      const measure = (releaseId: string) => driver.provider.metrics!.measure(driver.ref, { releaseId, ...last })
      const stable = yield* measure(release.id)
      assert.isAbove(stable.requests, 0)
      assert.strictEqual(stable.errors, 0)
      assert.strictEqual(stable.healthy, 100)
      const { p50 = 0, p99 = Infinity } = stable.latency ?? {}
      assert.isAtMost(p50, p99)
      assert.isAtMost(stable.samples?.length ?? 0, 2000)
      if (driver.provider.metrics!.samples === false) assert.isUndefined(stable.samples)
      const candidate = yield* measure(plan.candidate.id)
      assert.strictEqual(candidate.requests, 0)
      assert.strictEqual(candidate.latency, null)
      assert.strictEqual(candidate.healthy, 100)
      const unknown = yield* measure("no-such-release")
      assert.strictEqual(unknown.requests, 0)
      assert.strictEqual(unknown.healthy, null)
    })
  )

  check("says up to when its measurements are complete, and that time advances", (driver) =>
    Effect.gen(function* () {
      const release = yield* driver.deploy("v1")
      const measure = Effect.gen(function* () {
        const last = yield* window(driver)
        const { until } = yield* driver.provider.metrics!.measure(driver.ref, { releaseId: release.id, ...last })
        assert.isAtMost(until, last.to)
        return until
      })
      const { lag, resolution } = grainOf(driver.provider.metrics)
      assert.isAtLeast(resolution, 0)
      assert.isAtLeast(lag, 0)
      yield* driver.serves({ v1: 100 })
      yield* complete(driver)
      const before = yield* measure
      yield* Effect.sleep(resolution + 10)
      assert.isAtLeast(yield* measure, before + Math.max(1, resolution))
    })
  )

  check("counts no request later that was answered before the time of completeness", (driver) =>
    Effect.gen(function* () {
      const grain = grainOf(driver.provider.metrics)
      const release = yield* driver.deploy("v1")
      const measure = (from: number, to: number) =>
        driver.provider.metrics!.measure(driver.ref, { releaseId: release.id, from, to })
      yield* driver.serves({ v1: 100 })
      yield* complete(driver)
      const last = yield* window(driver)
      const early = yield* measure(last.from, last.to)
      yield* Effect.sleep(Math.max(500, grain.resolution))
      // A source that counts single requests is only asked for the most recent ones.
      if (!MetricWindow.isCoarse(grain)) return
      const late = yield* measure(last.from, early.until)
      assert.strictEqual(late.requests, early.requests)
      assert.strictEqual(late.errors, early.errors)
    })
  )
}
