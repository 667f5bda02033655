import { assert, describe, it } from "@effect/vitest"
import { Simulation } from "@signalbox/core/testing"
import { Effect } from "effect"

/** Twice the faults of an ordinary day. */
const faults = Object.fromEntries(
  Object.entries(Simulation.usualFaults).map(([kind, probability]) => [kind, Math.min(0.8, probability * 2)])
) as typeof Simulation.usualFaults

describe("on a bad day", () => {
  it.effect(
    "a request that waited for the lock sees what is there then, not what was there before",
    () =>
      Effect.gen(function* () {
        // Its environment changed between the first look and the lock: the stack was taken for one under way.
        const { failures } = yield* Simulation.run({ seed: 22_615, seeds: 1, faults })
        assert.deepStrictEqual(failures.map(Simulation.render), [])
      }),
    30_000
  )

  it.effect(
    "nothing is found either",
    () =>
      Effect.gen(function* () {
        const { failures } = yield* Simulation.run({ seed: 20_001, seeds: 60, faults })
        assert.deepStrictEqual(failures.map(Simulation.render), [])
      }),
    60_000
  )
})
