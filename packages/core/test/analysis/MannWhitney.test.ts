import { describe, it } from "@effect/vitest"
import { assert } from "vitest"
import * as MannWhitney from "../../src/analysis/MannWhitney.ts"
import * as Normal from "../../src/analysis/Normal.ts"
import { choices, exponential, many, seeded } from "./chance.ts"

const { distribution, median, rankTest, shift } = MannWhitney

/** U as it is defined: pair by pair. */
const pairs = (first: ReadonlyArray<number>, second: ReadonlyArray<number>): number =>
  first.flatMap((x) => second.map((y) => (x > y ? 1 : x === y ? 0.5 : 0))).reduce<number>((sum, one) => sum + one, 0)

const differences = (first: ReadonlyArray<number>, second: ReadonlyArray<number>): ReadonlyArray<number> =>
  first.flatMap((x) => second.map((y) => x - y)).toSorted((a, b) => a - b)

/** Share of all ways to deal the values out in which `holds`. */
const share = (
  first: ReadonlyArray<number>,
  second: ReadonlyArray<number>,
  holds: (first: ReadonlyArray<number>, second: ReadonlyArray<number>) => boolean
): number => {
  let all = 0
  let held = 0
  for (const [chosen, left] of choices([...first, ...second], first.length)) {
    all += 1
    if (holds(chosen, left)) held += 1
  }
  return held / all
}

const random = seeded(3)
const sample = (n: number, plus = 0) => many(n, () => plus + random())
const tied = (n: number, values = 4) => many(n, () => Math.floor(random() * values))
const sizes = many(30, () => [1 + Math.floor(random() * 7), 1 + Math.floor(random() * 7)] as const)

describe("the distribution of U", () => {
  it("matches all ways to deal the ranks out", () => {
    for (let m = 1; m <= 6; m++) {
      for (let n = 1; n <= 6; n++) {
        const counts = many(m * n + 1, () => 0) as Array<number>
        let all = 0
        for (const [first, second] of choices(
          many(m + n, (rank) => rank),
          m
        )) {
          counts[pairs(first, second)]! += 1
          all += 1
        }
        distribution(m, n).forEach((chance, u) => assert.closeTo(chance, counts[u]! / all, 1e-14))
      }
    }
  })

  it("is symmetric and sums to 1, also for the largest samples it is used for", () => {
    const chances = distribution(49, 49)
    assert.strictEqual(chances.length, 49 * 49 + 1)
    assert.closeTo(
      chances.reduce((sum, chance) => sum + chance, 0),
      1,
      1e-12
    )
    chances.forEach((chance, u) => assert.closeTo(chance, chances[chances.length - 1 - u]!, 1e-15))
  })
})

describe("the rank test", () => {
  it("has the p-values of exhaustive enumeration without ties", () => {
    for (const [m, n] of sizes) {
      const first = sample(m, 0.3)
      const second = sample(n)
      const test = rankTest(first, second)
      assert.isTrue(test.exact)
      assert.strictEqual(test.u, pairs(first, second))
      assert.closeTo(test.effect, test.u / (m * n), 1e-15)
      assert.closeTo(
        test.greater,
        share(first, second, (a, b) => pairs(a, b) >= test.u),
        1e-12
      )
      assert.closeTo(
        test.less,
        share(first, second, (a, b) => pairs(a, b) <= test.u),
        1e-12
      )
    }
  })

  it("agrees with the example of R's wilcox.test", () => {
    const permeability = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    const test = rankTest(permeability, [1.15, 0.88, 0.9, 0.74, 1.21])
    assert.strictEqual(test.u, 35)
    assert.closeTo(test.greater, 0.1272, 5e-5)
  })

  it("counts ties as halves, and corrects the variance for them exactly", () => {
    for (const values of [2, 3, 5]) {
      const first = [0, ...tied(6, values)]
      const second = [0, ...tied(6, values)]
      const test = rankTest(first, second)
      assert.isFalse(test.exact)
      assert.strictEqual(test.u, pairs(first, second))
      const us = [...choices([...first, ...second], 7)].map(([a, b]) => pairs(a, b))
      const variance = us.reduce((sum, u) => sum + (u - 24.5) ** 2, 0) / us.length
      const z = (Math.abs(test.u - 24.5) - 0.5) / Math.sqrt(variance)
      assert.closeTo(Math.min(test.greater, test.less), Normal.above(z), 1e-12)
    }
  })

  it("is close to the exact p-value where the approximation takes over", () => {
    for (let round = 0; round < 5; round++) {
      const first = sample(50, 0.15)
      const second = sample(40)
      const test = rankTest(first, second)
      const chances = distribution(50, 40)
      assert.isFalse(test.exact)
      assert.closeTo(
        test.greater,
        chances.slice(test.u).reduce((sum, chance) => sum + chance, 0),
        1e-3
      )
    }
  })

  it("says nothing if all values are the same", () => {
    const same = many(60, () => 5)
    assert.deepEqual(rankTest(same, same), { u: 1800, effect: 0.5, greater: 1, less: 1, exact: false })
  })

  it("turns around when the samples change places", () => {
    for (const [m, n] of [...sizes, [60, 55] as const]) {
      for (const [first, second] of [
        [sample(m), sample(n)],
        [tied(m), tied(n)]
      ] as const) {
        const there = rankTest(first, second)
        const back = rankTest(second, first)
        assert.strictEqual(there.u + back.u, m * n)
        assert.closeTo(there.greater, back.less, 1e-12)
        assert.closeTo(there.effect, 1 - back.effect, 1e-12)
      }
    }
  })

  it("stays the same under any monotone change of the values", () => {
    for (const [m, n] of [...sizes, [60, 55] as const]) {
      const first = sample(m)
      const second = tied(n)
      const grow = (value: number) => Math.exp(3 * value) - 7
      assert.deepEqual(rankTest(first.map(grow), second.map(grow)), rankTest(first, second))
    }
  })
})

describe("the shift", () => {
  it("is the median of all differences, its interval made of two of them", () => {
    for (const [m, n] of [...sizes, [12, 30] as const, [70, 55] as const]) {
      for (const [first, second] of [
        [sample(m, 0.2), sample(n)],
        [tied(m), tied(n)]
      ] as const) {
        const all = differences(first, second)
        const { estimate, interval } = shift(first, second, 0.9)
        assert.closeTo(estimate, median(all), 1e-12)
        if (interval === null) continue
        const [lower, upper] = interval
        assert.include(all, lower)
        assert.include(all, upper)
        const below = all.filter((one) => one < lower).length
        const over = all.filter((one) => one > upper).length
        assert.isAtMost(Math.abs(below - over), all.filter((one) => one === lower || one === upper).length)
      }
    }
  })

  it("holds exactly the shifts that the exact two-sided test does not refuse", () => {
    for (const [m, n] of [[5, 6] as const, [9, 7] as const, [20, 15] as const]) {
      const first = sample(m, 0.4)
      const second = sample(n)
      const [lower, upper] = shift(first, second, 0.9).interval!
      const p = (by: number) => {
        const moved = rankTest(
          first.map((value) => value - by),
          second
        )
        return 2 * Math.min(moved.greater, moved.less)
      }
      const close = 1e-9
      assert.isAbove(p(lower + close), 0.1)
      assert.isAtMost(p(lower - close), 0.1)
      assert.isAbove(p(upper - close), 0.1)
      assert.isAtMost(p(upper + close), 0.1)
    }
  })

  it("has no interval if the samples are too small for one", () => {
    assert.isNull(shift([1, 2], [3, 4], 0.98).interval)
    assert.isNull(shift([1], many(60, Number), 0.98).interval)
    assert.isNotNull(shift([1, 2, 3, 4, 5], [6, 7, 8, 9, 10], 0.98).interval)
  })

  it("moves along with its samples, and turns around with them", () => {
    for (const [m, n] of [[6, 7] as const, [60, 70] as const]) {
      const first = many(m, () => Math.round(1000 * random()))
      const second = many(n, () => Math.round(1000 * random()))
      const { estimate, interval } = shift(first, second, 0.9)
      const moved = shift(
        first.map((value) => value + 250),
        second,
        0.9
      )
      assert.strictEqual(moved.estimate, estimate + 250)
      assert.deepEqual(moved.interval, [interval![0] + 250, interval![1] + 250])
      assert.deepEqual(shift(second, first, 0.9).interval, [-interval![1], -interval![0]])
    }
  })

  it.each([
    ["exact", 12, 14],
    ["approximate", 60, 80]
  ] as const)("covers the true shift as often as promised (%s)", (_, m, n) => {
    const draw = seeded(m)
    const rounds = 1_500
    let covered = 0
    for (let round = 0; round < rounds; round++) {
      const first = many(m, () => 3 + exponential(draw))
      const second = many(n, () => exponential(draw))
      const [lower, upper] = shift(first, second, 0.9).interval!
      if (lower <= 3 && 3 <= upper) covered += 1
    }
    // 0.9 and a little more, as an exact interval cannot have just any confidence; ± 3 deviations of the simulation.
    assert.isAbove(covered / rounds, 0.9 - 0.024)
    assert.isBelow(covered / rounds, 0.91 + 0.024)
  })
})

describe("the normal distribution", () => {
  it.each([
    [0, 0.5],
    [1, 0.15865525393145705],
    [1.959963984540054, 0.025],
    [2.9999, 0.0013503412829549248],
    [3.0001, 0.001349454913260717],
    [6, 9.865876450376981e-10],
    [-2, 0.9772498680518208],
    [-5, 0.9999997133484281]
  ])("is exceeded at %d by %d", (x, p) => {
    assert.closeTo(Normal.above(x) / p, 1, 1e-12)
    assert.closeTo(Normal.exceededBy(p), x, 1e-6)
  })
})
