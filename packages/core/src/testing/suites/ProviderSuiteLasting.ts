/**
 * The checks of `ProviderSuite` for what outlasts a process: the state of a stack, and the content of a release.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { Check } from "./ProviderSuiteGroups.ts"

export const memory = (check: Check): void => {
  check("sees in another process what was deployed, plans from it, and goes back to it", (driver) =>
    Effect.gen(function* () {
      const { candidates, harness, ref } = driver
      const release = yield* driver.deploy("v1")
      const seen = yield* (yield* harness.another).observe(ref)
      assert.strictEqual(seen.status, "ready")
      assert.deepStrictEqual(seen.stable, release)
      const plan = yield* (yield* harness.another).plan(ref, candidates.v2)
      assert.strictEqual(plan.action, "update")
      // Without the release, a rollback would remove the stack.
      assert.strictEqual(plan.checkpoint.release?.id, release.id)
      yield* (yield* harness.another).stage(ref, { plan, capacityPercent: 100 }, driver.mutation())
      yield* (yield* harness.another).rollback(ref, plan.checkpoint, driver.mutation())
      yield* driver.isStable("v1", release)
    })
  )
}

export const content = (check: Check): void => {
  check("goes back to the content that a release had, or says that it cannot", (driver) =>
    Effect.gen(function* () {
      const { change } = driver.harness
      if (change === undefined) return
      const release = yield* driver.deploy("v1")
      yield* change("v1")
      const again = yield* driver.plan("v1")
      assert.strictEqual(again.action, "update", "other content is another release")
      assert.notStrictEqual(again.candidate.id, release.id)
      const { checkpoint } = yield* driver.plan("v2")
      yield* driver.deploy("v2")
      const way = yield* driver.provider.canGoBack?.(driver.ref, checkpoint) ?? Effect.undefined
      const back = yield* Effect.result(driver.provider.rollback(driver.ref, checkpoint, driver.mutation()))
      yield* driver.serves(Result.isSuccess(back) ? { v1: 100 } : { v2: 100 })
      if (way !== undefined) assert.strictEqual(way.how === "impossible", Result.isFailure(back), way.why)
    })
  )
}
