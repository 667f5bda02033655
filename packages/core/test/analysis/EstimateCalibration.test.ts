import { assert, describe, it } from "@effect/vitest"
import { EstimateCalibration } from "@signalbox/core/analysis"
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

/** How busy the machine is in each execution: it comes and goes, so that what is near in time is alike. */
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
})
