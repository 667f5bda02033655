/**
 * The checks of `ProviderSuite` for what a provider observes: gates and teardowns rely on it.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Check } from "./ProviderSuiteGroups.ts"

export const observing = (check: Check): void => {
  check("counts an instance as healthy only once it is ready", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("slow")
      const stage = yield* Effect.forkChild(
        driver.provider.stage(driver.ref, { plan, capacityPercent: 100 }, driver.mutation())
      )
      yield* driver.underWay(plan.candidate.id)
      const early = (yield* driver.observe).health[plan.candidate.id]
      // A platform may not count instances that it is still creating.
      if (early !== undefined && early.total > 0) assert.isBelow(early.healthy, early.total)
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
