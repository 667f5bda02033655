/**
 * The checks of `ProviderSuite` for calls that are cut off and repeated: by dead processes, lost leases, lost answers.
 */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Result from "effect/Result"
import type { Mutation, ProviderError } from "../../spi/index.ts"
import type { ProviderHarness } from "./ProviderSuiteDriver.ts"
import type { Check } from "./ProviderSuiteGroups.ts"

/** Operations whose answer can be lost. */
export type AnsweredOperation = "stage" | "shift" | "retire" | "rollback" | "destroy"

/** Lets the next call that changes something for an operation take effect, and loses its answer. */
export type LostAnswer = (harness: ProviderHarness, operation: AnsweredOperation) => Effect.Effect<void>

/** Kills are tried at so many boundaries at most, evenly. */
const mostKills = 6

/** A mutation that counts its boundaries, before and after each call to core; at the `nth`, its caller ends. */
const dying = (mutation: Mutation, nth: number) => {
  let count = 0
  const boundary = Effect.suspend(() => (++count === nth ? Effect.interrupt : Effect.void))
  const around = <A, E>(call: Effect.Effect<A, E>) => Effect.tap(Effect.andThen(boundary, call), () => boundary)
  const { guard, handle, progress } = mutation
  return {
    boundaries: () => count,
    mutation: {
      ...mutation,
      guard: around(guard),
      progress: (event) => around(progress(event)),
      handle: { get: handle.get, set: (name) => around(handle.set(name)) }
    } satisfies Mutation
  }
}

export const resuming = (check: Check, { controls }: { readonly controls: boolean }): void => {
  check("finishes in another process what was killed at any boundary, and does it once", (driver) =>
    Effect.gen(function* () {
      const { provider, ref } = driver
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("v2")
      const options = { plan, capacityPercent: 100 }
      const unharmed = dying(driver.mutation(), Infinity)
      yield* provider.stage(ref, options, unharmed.mutation)
      const all = unharmed.boundaries()
      assert.isAbove(all, 1, "it calls its guard")
      const kills = new Set(
        Array.from({ length: mostKills }, (_, index) => 1 + Math.round((index * (all - 1)) / (mostKills - 1)))
      )
      for (const nth of kills) {
        yield* provider.rollback(ref, plan.checkpoint, driver.mutation())
        const key = `killed-${nth}`
        const { mutation } = dying(driver.mutation({ key }), nth)
        yield* Fiber.await(yield* Effect.forkChild(provider.stage(ref, options, mutation)))
        yield* (yield* driver.harness.another).stage(ref, options, driver.mutation({ key }))
        yield* driver.tookEffectOnce(key)
        yield* driver.serves(controls ? { v1: 100 } : { v2: 100 })
      }
    })
  )

  check("goes on with an operation that outlives three leases", (driver) =>
    Effect.gen(function* () {
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("slow")
      for (const fence of [2, 3, 4]) {
        const stage = (yield* driver.harness.another).stage(
          driver.ref,
          { plan, capacityPercent: 100 },
          driver.mutation({ key: "long", fence })
        )
        if (fence < 4) yield* driver.cut(stage, plan.candidate.id)
        else yield* stage
      }
      yield* driver.tookEffectOnce("long")
      yield* driver.serves(controls ? { v1: 100 } : { slow: 100 })
    })
  )
}

export const lostAnswers = (check: Check, lose: LostAnswer): void => {
  check("recognizes its own effect after the answer was lost, and does not repeat it", (driver) =>
    Effect.gen(function* () {
      const { provider, ref } = driver
      yield* driver.deploy("v1")
      const plan = yield* driver.plan("v2")
      const { id } = plan.candidate
      const lost = <A>(operation: AnsweredOperation, call: (mutation: Mutation) => Effect.Effect<A, ProviderError>) =>
        Effect.gen(function* () {
          const key = `lost-${operation}`
          yield* lose(driver.harness, operation)
          const first = yield* Effect.result(call(driver.mutation({ key })))
          // The vendor's client may have repeated the call already.
          if (Result.isFailure(first)) {
            assert.isTrue(first.failure.isRetryable, `${operation}: ${first.failure.message}`)
            yield* call(driver.mutation({ key }))
          }
          yield* driver.tookEffectOnce(key)
        })
      yield* lost("stage", (mutation) => provider.stage(ref, { plan, capacityPercent: 100 }, mutation))
      const { traffic } = provider
      if (traffic !== undefined) {
        yield* lost("shift", (mutation) => traffic.shift(ref, { releaseId: id, percent: 100 }, mutation))
        yield* lost("retire", (mutation) => traffic.retire(ref, { keep: id, capacityPercent: 0 }, mutation))
      }
      yield* driver.isStable("v2", plan.candidate)
      yield* lost("rollback", (mutation) => provider.rollback(ref, plan.checkpoint, mutation))
      yield* driver.serves({ v1: 100 })
      yield* lost("destroy", (mutation) => provider.destroy(ref, mutation))
      assert.strictEqual((yield* driver.observe).status, "absent")
      assert.deepStrictEqual(yield* driver.truth, driver.nothing)
    })
  )
}
