/**
 * The checks of `ProviderSuite` for failures of a platform that pass.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ProviderHarness, reasonOf } from "./ProviderSuiteDriver.ts"
import type { Check } from "./ProviderSuiteGroups.ts"

/** Makes a platform fail in some way, and ends that. */
export interface PlatformFault {
  readonly begin: (harness: ProviderHarness) => Effect.Effect<void>
  readonly end: (harness: ProviderHarness) => Effect.Effect<void>
}

const passing = (check: Check, title: string, reason: "Expired" | "Throttled", { begin, end }: PlatformFault): void => {
  check(title, (driver) =>
    Effect.gen(function* () {
      const release = yield* driver.deploy("v1")
      const plan = yield* driver.plan("v2")
      const before = yield* driver.truth
      const stage = driver.provider.stage(
        driver.ref,
        { plan, capacityPercent: 100 },
        driver.mutation({ key: "passing" })
      )
      yield* begin(driver.harness)
      // A stack that cannot be seen is not absent, and one that cannot be rolled back is not rolled back.
      const calls = [
        driver.observe,
        driver.plan("v2"),
        stage,
        driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation()),
        driver.provider.destroy(driver.ref, driver.mutation())
      ]
      for (const call of calls) assert.strictEqual(reasonOf(yield* Effect.flip(call)), reason)
      assert.deepStrictEqual(yield* driver.truth, before)
      yield* end(driver.harness)
      assert.strictEqual((yield* driver.observe).stable?.id, release.id)
      yield* stage
      yield* driver.tookEffectOnce("passing")
    })
  )
}

export const credentials = (check: Check, fault: PlatformFault): void =>
  passing(
    check,
    "reports expired credentials as such, and carries on where it was once they are renewed",
    "Expired",
    fault
  )

// Core waits for as long as it is told, and within the time of a stage; an adapter that waits itself does neither.
export const throttling = (check: Check, fault: PlatformFault): void =>
  passing(
    check,
    "reports throttling at once instead of waiting it out, and carries on where it was afterwards",
    "Throttled",
    fault
  )

// Whether it is waited for is configured, so that an adapter neither waits for it nor works beside it.
export const foreign = (check: Check, { begin, end }: PlatformFault): void => {
  check("names an operation that others have in progress, and changes nothing beside it", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("v2")
      const before = yield* driver.truth
      const stage = driver.provider.stage(driver.ref, { plan, capacityPercent: 100 }, driver.mutation())
      yield* begin(driver.harness)
      const { operation } = yield* driver.observe
      assert.strictEqual(operation?.foreign, true)
      assert.notStrictEqual(operation?.description, "")
      const { reason } = yield* Effect.flip(stage)
      assert.strictEqual(reason._tag, "Busy")
      assert.deepStrictEqual(yield* driver.truth, before)
      yield* end(driver.harness)
      assert.strictEqual((yield* driver.observe).operation, null)
      yield* stage
    })
  )
}
