import { assert, describe, it } from "@effect/vitest"
import { EstimateCalibration, type EstimateRun } from "@signalbox/core/analysis"
import { exponential, normal, seeded } from "./chance.ts"
import { historyOf, type Made } from "./runs.ts"

/** How long a stage of about a minute takes in the `index`-th execution. */
type Distribution = (random: () => number, index: number) => number

const distributions: Readonly<Record<string, Distribution>> = {
  lognormal: (random) => 60_000 * Math.exp(0.5 * normal(random)),
  "bimodal, a cache that is warm or cold": (random) =>
    (random() < 0.7 ? 20_000 : 120_000) * (1 + 0.1 * normal(random) ** 2),
  "drifting, half a percent longer each time": (random, index) =>
    60_000 * 1.005 ** index * Math.exp(0.3 * normal(random)),
  "heavy-tailed": (random) => 30_000 * Math.exp(exponential(random) / 1.5)
}

const twoStacks = (distribution: Distribution, random: () => number, together: number) => (index: number) => {
  const slow = Math.exp(together * normal(random))
  const stage = (scale: number) => scale * slow * distribution(random, index)
  return ["api", "web"].map((name): Made => ({ name, stages: [stage(0.05), stage(0.02), stage(1), stage(0.3)] }))
}

/** How busy the machine is in each execution: it comes and goes, so that neighbours in time are alike. */
const loads: Readonly<Record<string, (random: () => number) => () => number>> = {
  "a load that comes and goes": (random) => {
    let level = 0
    return () => (level = 0.9 * level + 0.25 * normal(random))
  },
  "good and bad times that last": (random) => {
    let level = 0
    return () => {
      if (random() < 1 / 25) level = 0.8 * normal(random)
      return level
    }
  }
}

const under = (load: () => number, random: () => number) => () => {
  const slow = Math.exp(load())
  const stage = (scale: number) => scale * slow * 60_000 * Math.exp(0.25 * normal(random))
  return ["api", "web"].map((name): Made => ({ name, stages: [stage(0.05), stage(0.02), stage(1), stage(0.3)] }))
}

describe("the intervals of estimates", () => {
  for (const [name, load] of Object.entries(loads)) {
    it(`cover about 80 % under ${name}`, () => {
      const random = seeded(5)
      const checked = EstimateCalibration.check(historyOf(500, under(load(random), random)))
      const { error, naive, share } = EstimateCalibration.calibrate(checked)
      assert.isAtLeast(share!, 0.75)
      assert.isAtMost(share!, 0.85)
      assert.isBelow(error!, naive!)
    })
  }

  for (const [name, distribution] of Object.entries(distributions)) {
    for (const together of [0, 0.3]) {
      it(`cover about 80 % where durations are ${name}${together === 0 ? "" : ", and slow ones come together"}`, () => {
        const checked = EstimateCalibration.check(historyOf(500, twoStacks(distribution, seeded(5), together)))
        const calibration = EstimateCalibration.calibrate(checked)
        assert.isAtLeast(calibration.n, 500)
        assert.isAtLeast(calibration.share!, 0.75)
        assert.isAtMost(calibration.share!, 0.85)
        assert.isBelow(calibration.error!, calibration.naive!)
      })
    }
  }

  /** Whether the measurement is as expected, at each moment: neither too narrow nor too wide. */
  const holds = (history: ReadonlyArray<EstimateRun.Run>) => {
    const calibration = EstimateCalibration.calibrate(EstimateCalibration.check(history))
    assert.isAtLeast(calibration.n, 300)
    assert.isAtLeast(calibration.share!, 0.75)
    assert.isAtMost(calibration.share!, 0.85)
    for (const { n, share } of calibration.byMoment.filter((moment) => moment.n >= 100)) {
      assert.closeTo(share!, 0.8, 0.05 + 1.5 / Math.sqrt(n))
    }
    return calibration
  }
  const stages = (random: () => number): Made["stages"] => {
    const ms = (mean: number) => mean * Math.exp(0.4 * normal(random))
    return [ms(3_000), ms(1_000), ms(60_000), ms(15_000)]
  }

  it("cover about 80 % if a stack has nothing to do half of the time", () => {
    const random = seeded(6)
    holds(
      historyOf(400, () => [
        { name: "api", stages: stages(random), idle: random() < 0.5 },
        { name: "web", stages: stages(random) }
      ])
    )
  })

  it("cover about 80 % where two kinds of work take turns, and people are waited for", () => {
    const random = seeded(6)
    const { error, naive } = holds(
      historyOf(500, (index) => [
        {
          name: "web",
          stages: stages(random),
          strategy: index % 2 === 0 ? "canary" : "rolling",
          waitMs: random() < 0.5 ? 600_000 * random() : 0
        },
        ...(index % 2 === 0 ? [{ name: "api", stages: stages(random) }] : [])
      ])
    )
    assert.isBelow(error!, 0.6 * naive!)
  })

  it("cover about 80 % of five stacks whose like was seen elsewhere only", () => {
    const random = seeded(9)
    const history = historyOf(400, () => ["a", "b", "c", "d", "e"].map((name) => ({ name, stages: stages(random) })))
    // Each of them is a deployment of its own: nothing was seen as a whole.
    const apart = history.map((run, index) => ({ ...run, deploymentId: `D${index}` as typeof run.deploymentId }))
    const { byScope, share } = EstimateCalibration.calibrate(
      EstimateCalibration.check(apart, () => ({
        stacks: ["a", "b", "c", "d", "e"].map((name, index, all) => ({ name, dependsOn: all.slice(0, index) })),
        parallelism: 5
      }))
    )
    assert.deepEqual(
      byScope.map(({ scope }) => scope),
      ["strategy"]
    )
    assert.isAtLeast(share!, 0.75)
    assert.isAtMost(share!, 0.85)
  })

  it("are not estimated from the very execution, even if it took no time", () => {
    const history = historyOf(30, (index) => [{ name: "web", stages: [1_000, 1_000, 60_000 + index * 100, 10_000] }])
    const nothing = history.map((run, index) =>
      index === 20 ? { ...run, endedAt: run.startedAt, elapsedMs: 0, spans: [] } : run
    )
    const own = EstimateCalibration.check(nothing).find(({ correlationId }) => correlationId === "x20")
    assert.strictEqual(own?.estimate.n, 20)
  })
})
