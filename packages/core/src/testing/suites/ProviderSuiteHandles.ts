/**
 * The checks of `ProviderSuite` for operations that outlive the process that began them.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Provider } from "../../spi/index.ts"
import { reasonOf } from "./ProviderSuiteDriver.ts"
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
      const provider = yield* driver.harness.another
      yield* provider.stage(driver.ref, options, driver.mutation({ key: "handled" }))
      yield* driver.tookEffectOnce("handled")
      // A handle that comes after the wait is lost with the process that waits.
      assert.strictEqual(driver.handles.get("handled"), begun)
    })
  )

  check("reports in another process the failure of what it has begun, and does not begin it again", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("broken")
      const stage = (provider: Provider) =>
        provider.stage(driver.ref, { plan, capacityPercent: 100 }, driver.mutation({ key: "failing" }))
      const fiber = yield* Effect.forkChild(stage(driver.provider))
      yield* Effect.raceFirst(Fiber.await(fiber), driver.underWay(plan.candidate.id))
      // Where it fails at once, there is nothing to pick up.
      if (fiber.pollUnsafe() !== undefined) return
      yield* Fiber.interrupt(fiber)
      const failed = yield* Effect.flip(stage(yield* driver.harness.another))
      assert.strictEqual(reasonOf(failed), "Broken")
      yield* driver.tookEffectOnce("failing")
    })
  )
}
