import { assert, describe, it } from "@effect/vitest"
import { Simulation } from "@signalbox/core/testing"
import { Effect } from "effect"
import { doubledFaults } from "./seeds.ts"

describe("on a bad day", () => {
  it.effect(
    "nothing is found",
    () =>
      Effect.gen(function* () {
        const { failures } = yield* Simulation.run({ seed: 20_001, seeds: 30, faults: doubledFaults })
        assert.deepStrictEqual(failures.map(Simulation.render), [])
      }),
    600_000
  )
})
