/**
 * The checks of `ProviderSuite` for operations that outlive the process that began them.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Check } from "./ProviderSuiteGroups.ts"

export const handles = (check: Check): void => {
  check("picks up in another process what it has begun, by its handle or its key", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("slow")
      const options = { plan, capacityPercent: 100 }
      yield* driver.cut(
        driver.provider.stage(driver.ref, options, driver.mutation({ key: "handled" })),
        plan.candidate.id
      )
      const begun = driver.handles.get("handled")
      const provider = yield* driver.harness.another ?? Effect.succeed(driver.provider)
      yield* provider.stage(driver.ref, options, driver.mutation({ key: "handled" }))
      yield* driver.tookEffectOnce("handled")
      // A handle that comes after the wait is lost with the process that waits.
      assert.strictEqual(driver.handles.get("handled"), begun)
    })
  )
}
