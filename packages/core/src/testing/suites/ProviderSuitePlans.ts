/**
 * The checks of `ProviderSuite` for plans that are made in an execution.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Check } from "./ProviderSuiteGroups.ts"

export const plans = (check: Check): void => {
  check("leaves nothing behind with a plan that blocks the next one", (driver) =>
    Effect.gen(function* () {
      const { candidates, provider, ref } = driver
      const abandoned = (which: "v1" | "v2") => provider.plan(ref, candidates[which], driver.mutation())
      // Executions that end after planning, of a stack that is not there yet and of one that is.
      yield* abandoned("v1")
      yield* abandoned("v2")
      assert.deepStrictEqual(yield* driver.truth, driver.nothing)
      assert.strictEqual((yield* driver.observe).status, "absent")
      yield* driver.deploy("v1")
      const before = yield* driver.truth
      yield* abandoned("v2")
      yield* abandoned("v2")
      yield* driver.plan("v2")
      const seen = yield* driver.observe
      assert.strictEqual(seen.status, "ready")
      assert.strictEqual(seen.operation, null)
      assert.deepStrictEqual(yield* driver.truth, before)
      yield* driver.deploy("v2")
    })
  )

  check("plans again what it planned, after a crash, and stages it from what the log keeps", (driver) =>
    Effect.gen(function* () {
      const { candidates, provider, ref } = driver
      const planned = () => provider.plan(ref, candidates.v1, driver.mutation({ key: "plan" }))
      const first = yield* planned()
      const again = yield* planned()
      assert.deepStrictEqual(again.candidate, first.candidate)
      const plan = JSON.parse(JSON.stringify(again)) as typeof again
      assert.deepStrictEqual(plan, again)
      yield* provider.stage(ref, { plan, capacityPercent: 100 }, driver.mutation())
    })
  )
}
