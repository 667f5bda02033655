import { assert, describe, it } from "@effect/vitest"
import type { Config } from "@signalbox/core/config"
import { SimulatedProvider, Simulation } from "@signalbox/core/testing"
import { Effect } from "effect"

/**
 * The same seeds each time, below the range of `npm run simulate`, which draws different ones each time and runs
 * thousands.
 */
const seed = 1
const seeds = 50

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
        for (const end of ["completed", "rolled_back", "failed", "refused", "cancelled"])
          assert.isAbove(ends[end] ?? 0, 0, end)
      }),
    3_600_000
  )

  it("is the same again for the same seed, event by event", () => {
    for (let seed = 1; seed <= 6; seed++) {
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
    const inOperations = scenarios.flatMap(({ clouds }) => clouds.filter(({ operations }) => operations !== undefined))
    for (const shape of ["transactional", "revisions"])
      assert.isAbove(inOperations.filter((cloud) => cloud.shape === shape).length, 10, shape)
    // Longer than three leases.
    assert.isTrue(inOperations.some(({ operations }) => operations!.operationMillis > 36_000))
  })

  it("draws people who wait for each other, and decide about it, in every way", () => {
    const scenarios = Array.from({ length: 300 }, (_, index) => Simulation.scenarioOf(index + 1))
    const requests = scenarios.flatMap(({ requests }) => requests)
    assert.sameMembers([...new Set(requests.map(({ queue }) => queue))], [undefined, "fifo", "latest_wins"])
    assert.sameMembers(
      [...new Set(requests.map(({ reports }) => reports))],
      [undefined, "succeeded", "failed", "cancelled"]
    )
    assert.isTrue(requests.some(({ id, kind }) => kind === "run" && id.startsWith("newcomer")))
    assert.isTrue(requests.some(({ id }) => id.startsWith("emergency")))
    assert.isTrue(scenarios.some(({ manifest }) => manifest.freezes !== undefined))
    assert.isTrue(requests.some(({ override }) => override !== undefined))
    assert.sameMembers(
      [...new Set(scenarios.flatMap(({ decisions = [] }) => decisions.map(({ decides }) => decides)))],
      ["hold", "release", "veto", "lift", "withdraw"]
    )
    // Most seeds are what they were before people waited.
    const crowded = scenarios.filter(({ requests }) => requests.some(({ queue }) => queue !== undefined))
    assert.isAbove(crowded.length, 90)
    assert.isBelow(crowded.length, 150)
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

const config: Config = {
  organization: "acme",
  project: "shop",
  environments: { production: {} },
  leaseTtl: "6 seconds",
  stacks: [
    { name: "db", provider: "database", gate: { gracePeriod: "0 millis", interval: "1 second" } },
    {
      name: "web",
      provider: "containers",
      dependsOn: ["db"],
      gate: { gracePeriod: "0 millis", interval: "1 second", consecutivePasses: 1 },
      strategy: { type: "canary", steps: [{ weight: 20, bake: "2 seconds" }] }
    }
  ]
}

describe("a simulation of one's own", () => {
  it.effect("carries out one's own manifest, on clouds for the providers that it names", () =>
    Effect.gen(function* () {
      const { ends, failures } = yield* Simulation.run({ manifest: config, seeds: 10 })
      assert.deepStrictEqual(failures.map(Simulation.render), [])
      assert.isAbove(ends["completed"] ?? 0, 10)
    })
  )

  it.effect("reports an invalid manifest", () =>
    Effect.gen(function* () {
      const [db, web] = config.stacks
      const wrong = { ...config, stacks: [db!, { ...web!, dependsOn: ["nothing"] }] } as Config
      const invalid = yield* Effect.flip(Simulation.run({ manifest: wrong, seeds: 1 }))
      assert.match(invalid.issues[0].path, /dependsOn/)
    })
  )

  it.effect("runs custom providers and knows only their port", () =>
    Effect.gen(function* () {
      const { failures, schedules } = yield* Simulation.run({
        manifest: config,
        seeds: 10,
        providers: () =>
          ["database", "containers"].map((kind) => ({ provider: SimulatedProvider.make({ kind }).provider }))
      })
      assert.deepStrictEqual(failures.map(Simulation.render), [])
      assert.isAtLeast(schedules, 10)
    })
  )

  it.effect("shrinks a failing schedule, and says how to reproduce it", () =>
    Effect.gen(function* () {
      const rule: Simulation.Parts = {
        check: ({ ledger }) =>
          ledger.some(({ operation, stack }) => operation === "rollback" && stack === "db")
            ? "the database was rolled back"
            : undefined
      }
      const { failures } = yield* Simulation.run({ seeds: 200, ...rule })
      const [failure] = failures
      if (failure === undefined) return assert.fail("it finds none")
      // One deployment, another one, and back.
      assert.isAtMost(failure.scenario.requests.length, 3)
      assert.isAtMost(failure.scenario.manifest.stacks.length, 2)
      assert.isAtMost(failure.scenario.faults.length, 1)
      assert.strictEqual(Simulation.replay(failure.scenario, rule).violation?.message, "the database was rolled back")
      const text = Simulation.render(failure)
      assert.include(text, "custom does not hold: the database was rolled back")
      assert.include(text, `Simulation.run({ seed: ${failure.seed}, seeds: 1 })`)
      assert.match(text, /cloud rollback of db in production/)
    })
  )

  it("returns its findings to programs that do not use Effect too", async () => {
    const { failures, schedules } = await Simulation.runPromise({ seeds: 3, faults: false })
    assert.deepStrictEqual(failures, [])
    assert.strictEqual(schedules, 3)
  })
})
