/**
 * The checks of `ProviderSuite` for a lease that is lost in the middle of an operation.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type { Mutation, ProviderError } from "../../spi/index.ts"
import { reasonOf } from "./ProviderSuiteDriver.ts"
import type { Check } from "./ProviderSuiteGroups.ts"

/** An operation that runs its guard more often does not get every one of them failed. */
const mostGuards = 10

export const guards = (check: Check): void => {
  check("changes nothing any more once its guard has failed, at whichever call", (driver) =>
    Effect.gen(function* () {
      const { provider, ref } = driver
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("v2")
      const { id } = plan.candidate
      const failing = <A>(key: string, call: (mutation: Mutation) => Effect.Effect<A, ProviderError>) =>
        Effect.gen(function* () {
          for (let nth = 2; nth < mostGuards; nth++) {
            let calls = 0
            let before = driver.nothing
            const guard = Effect.gen(function* () {
              if (++calls < nth) return
              if (calls === nth) before = yield* driver.truth
              return yield* driver.lost
            })
            const result = yield* Effect.result(call(driver.mutation({ key, guard })))
            if (calls < nth) return
            assert.isTrue(Result.isFailure(result), `${key} goes on without its lease`)
            if (Result.isFailure(result)) assert.strictEqual(reasonOf(result.failure), "Fenced")
            assert.deepStrictEqual(yield* driver.truth, before)
          }
          yield* call(driver.mutation({ key }))
        })
      yield* failing("stage", (mutation) => provider.stage(ref, { plan, capacityPercent: 100 }, mutation))
      if (provider.traffic !== undefined) {
        const { retire, shift } = provider.traffic
        yield* failing("shift", (mutation) => shift(ref, { releaseId: id, percent: 100 }, mutation))
        yield* failing("retire", (mutation) => retire(ref, { keep: id, capacityPercent: 0 }, mutation))
      }
      yield* failing("rollback", (mutation) => provider.rollback(ref, plan.checkpoint, mutation))
      yield* failing("destroy", (mutation) => provider.destroy(ref, mutation))
    })
  )

  check("does not bring in a release that it only announced before its lease was lost", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("slow")
      let calls = 0
      const guard = Effect.suspend(() => (++calls === 1 ? Effect.void : Effect.fail(driver.lost)))
      const stage = yield* Effect.forkChild(
        driver.provider.stage(driver.ref, { plan, capacityPercent: 100 }, driver.mutation({ guard }))
      )
      yield* Effect.raceFirst(Fiber.await(stage), driver.underWay(plan.candidate.id))
      const { candidate, health, operation } = yield* driver.observe
      const { capacity } = yield* driver.truth
      const { id, version } = plan.candidate
      const announced = operation === null && candidate?.id === id && health[id] === undefined && !(version in capacity)
      const exit = yield* Fiber.await(stage)
      // Otherwise its only call was made under the lease, and the platform does the rest.
      if (!announced) return
      assert.strictEqual(exit._tag, "Failure", "it runs its guard before the second change")
      assert.notProperty((yield* driver.truth).capacity, version)
    })
  )
}
