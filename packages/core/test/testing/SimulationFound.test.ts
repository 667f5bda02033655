import { assert, describe, it } from "@effect/vitest"
import { Simulation } from "@signalbox/core/testing"
import { doubledFaults } from "./seeds.ts"

/** Seeds that failed once, with what was wrong. */
const found: ReadonlyArray<readonly [what: string, seed: number, faults?: Simulation.Faults]> = [
  ["a request that waited for the lock did not see what had changed meanwhile", 22_615, doubledFaults],
  ["a runner that had lost its claim, and not yet its lock, called a provider", 77_916],
  ["a fault that fired while effects were counted had one of them counted twice", 555_978]
]

describe("a schedule that once failed holds", () => {
  it.each(found)("%s", { timeout: 30_000 }, async (_, seed, faults) => {
    const { failures } = await Simulation.runPromise({ seed, seeds: 1, ...(faults === undefined ? {} : { faults }) })
    assert.deepStrictEqual(failures.map(Simulation.render), [])
  })
})
