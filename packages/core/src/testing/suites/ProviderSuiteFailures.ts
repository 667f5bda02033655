/**
 * The checks of `ProviderSuite` for failures that a platform can be made to show.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type ProviderHarness, reasonOf } from "./ProviderSuiteDriver.ts"
import type { Check } from "./ProviderSuiteGroups.ts"

/** Makes the credentials of a provider run out, and renews them. */
export interface CredentialFaults {
  readonly expire: (harness: ProviderHarness) => Effect.Effect<void>
  readonly renew: (harness: ProviderHarness) => Effect.Effect<void>
}

export const credentials = (check: Check, { expire, renew }: CredentialFaults): void => {
  check("reports expired credentials as such, and carries on where it was once they are renewed", (driver) =>
    Effect.gen(function* () {
      const release = yield* driver.deploy("v1")
      const plan = yield* driver.plan("v2")
      const before = yield* driver.truth
      const stage = driver.provider.stage(
        driver.ref,
        { plan, capacityPercent: 100 },
        driver.mutation({ key: "expired" })
      )
      yield* expire(driver.harness)
      // A stack that cannot be seen is not absent, and one that cannot be rolled back is not rolled back.
      const calls = [
        driver.observe,
        driver.plan("v2"),
        stage,
        driver.provider.rollback(driver.ref, plan.checkpoint, driver.mutation()),
        driver.provider.destroy(driver.ref, driver.mutation())
      ]
      for (const call of calls) assert.strictEqual(reasonOf(yield* Effect.flip(call)), "Expired")
      assert.deepStrictEqual(yield* driver.truth, before)
      yield* renew(driver.harness)
      assert.strictEqual((yield* driver.observe).stable?.id, release.id)
      yield* stage
      yield* driver.tookEffectOnce("expired")
    })
  )
}
