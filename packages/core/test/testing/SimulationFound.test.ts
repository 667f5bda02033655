import { assert, describe, it } from "@effect/vitest"
import { Simulation } from "@signalbox/core/testing"
import { doubledFaults } from "./seeds.ts"

interface Found {
  readonly what: string
  readonly seed: number
  readonly faults?: Simulation.Faults
}

/** Seeds that failed once, with their mistake. */
const found: ReadonlyArray<Found> = [
  {
    what: "a request that waited for the lock did not see what had changed meanwhile",
    seed: 22_615,
    faults: doubledFaults
  },
  { what: "a runner that had lost its claim, and not yet its lease, called a provider", seed: 77_916 },
  // Guards ask for the claim too by now, so that the fault fires elsewhere: SimulationEffects.test.ts has it.
  { what: "a fault that fired while effects were counted had one of them counted twice", seed: 555_978 },
  {
    what: "an effect in progress while the runner changed was taken for a difference from the uninterrupted twin",
    seed: 51_004_064,
    faults: doubledFaults
  },
  { what: "a stack that was kept in lockstep had to go back before its dependency", seed: 641_345_425 },
  { what: "a call that was given up reported progress after the end of its execution", seed: 506_112_779 },
  { what: "an operation that had failed was forgotten before its receipt, and began twice", seed: 83_469_976 },
  {
    what: "a request that stood still before it was recorded replaced itself, recorded by another process",
    seed: 731_412_607
  }
]

describe("a schedule that once failed holds", () => {
  it.each(found)("$what", async ({ faults, seed }) => {
    const { failures } = await Simulation.runPromise({ seed, seeds: 1, ...(faults === undefined ? {} : { faults }) })
    assert.deepStrictEqual(failures.map(Simulation.render), [])
  })
})
