import { assert, describe, it } from "@effect/vitest"
import { Simulation } from "@signalbox/core/testing"
import { Effect } from "effect"

const seeds = Number(process.env["SIGNALBOX_SIMULATIONS"] ?? 300)
const seed = Number(process.env["SIGNALBOX_SEED"] ?? 1)

describe("the simulation of the whole engine", () => {
  it.effect(
    `finds nothing in ${seeds} schedules from seed ${seed} on`,
    () =>
      Effect.gen(function* () {
        const { ends, failures, schedules, twins } = yield* Simulation.run({ seed, seeds })
        assert.deepStrictEqual(failures.map(Simulation.render), [])
        assert.isAtLeast(schedules, seeds)
        // What finds nothing has to have been there.
        assert.isAbove(twins, seeds / 20)
        for (const end of ["completed", "rolled_back", "failed", "refused"]) assert.isAbove(ends[end] ?? 0, 0, end)
      }),
    3_600_000
  )

  it("is the same again for the same seed, event by event", () => {
    for (let seed = 1; seed <= 12; seed++) {
      const scenario = Simulation.scenarioOf(seed)
      assert.deepStrictEqual(scenario, Simulation.scenarioOf(seed))
      const one = Simulation.replay(scenario)
      const other = Simulation.replay(scenario)
      assert.isAbove(one.trace.length, 20)
      assert.deepStrictEqual(other.trace, one.trace, `seed ${seed}`)
      assert.deepStrictEqual(other.end, one.end, `seed ${seed}`)
    }
  })

  it("draws different schedules from different seeds, with every kind of fault among them", () => {
    const scenarios = Array.from({ length: 100 }, (_, index) => Simulation.scenarioOf(index + 1))
    assert.strictEqual(new Set(scenarios.map((scenario) => JSON.stringify({ ...scenario, seed: 0 }))).size, 100)
    assert.sameMembers(
      [...new Set(scenarios.flatMap(({ faults }) => faults.map(({ kind }) => kind)))],
      Object.keys(Simulation.usualFaults)
    )
  })

  it("needs no time but its own: an hour of virtual time waits for nothing", () => {
    const scenario = Simulation.scenarioOf(1, { faults: false })
    const outcome = Simulation.replay({
      ...scenario,
      oneByOne: false,
      commands: [],
      requests: [{ id: "late", at: 3_600_000, process: 0, kind: "deploy", version: "1.0.0", environment: "production" }]
    })
    assert.isUndefined(outcome.violation)
    assert.isAbove(outcome.elapsed, 3_600_000)
    assert.strictEqual(outcome.end.executions["late"]?.status, "completed")
  })
})
