import { assert, describe, it } from "@effect/vitest"
import { Estimate, EstimateTail } from "@signalbox/core/analysis"
import * as Schema from "effect/Schema"
import { exponential, many, normal, seeded } from "./chance.ts"

const { enough, enoughForUnusual, ofValues, remaining, together, unusual } = Estimate

const Millis = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
const durations = (minLength: number) =>
  Schema.Array(Millis).check(Schema.isMinLength(minLength), Schema.isMaxLength(60))

describe("remaining time", () => {
  it.prop("lies between its ends, and none of them is negative", [durations(1), Millis], ([past, at]) => {
    const { basis, high, low, n, point } = remaining(past, at)
    if (basis === "exceeded") return assert.isTrue(past.every((ms) => ms <= at))
    assert.isTrue(0 <= low! && low! <= point! && point! <= high!)
    assert.strictEqual(n, past.filter((ms) => ms > at).length)
  })

  it.prop("is no longer than the longest yet, where enough lasted that long", [durations(enough)], ([past]) => {
    const { high, low } = remaining(past, 0)
    assert.isAtMost(high!, Math.max(...past))
    assert.isAtLeast(low!, Math.min(...past))
  })

  it.prop("does not depend on the order of the past", [durations(1), Millis], ([past, at]) => {
    assert.deepEqual(remaining(past.toReversed(), at), remaining(past, at))
  })

  it("says if it has no basis, too little, or lasts longer than all before", () => {
    assert.deepInclude(remaining([], 0), { basis: "none", point: null, n: 0 })
    assert.deepInclude(remaining([100, 110, 90], 0), { basis: "few", point: 100, low: 80, high: 120, n: 3 })
    assert.deepInclude(remaining([100, 110, 90], 40), { basis: "few", point: 60, low: 40, high: 80, n: 3 })
    assert.deepInclude(remaining([100, 110, 90], 110), { basis: "exceeded", point: null, n: 3 })
  })

  it("has an interval only where nine values tell it, or the tail of more than nine", () => {
    const nine = many(9, (index) => 1_000 * (index + 1))
    assert.deepInclude(remaining(nine, 500), { basis: "history", n: 9 })
    assert.deepInclude(remaining(nine, 8_500), { basis: "few", n: 1, point: 500, low: 0, high: 2_300 })
    assert.deepInclude(remaining([...nine, 10_000], 9_500), { basis: "history", n: 1 })
  })

  it("may be zero before it has begun", () => {
    assert.deepInclude(remaining([0, 0], 0), { basis: "few", point: 0, n: 2 })
    assert.deepInclude(
      remaining(
        many(9, () => 0),
        0
      ),
      { basis: "history", high: 0 }
    )
  })

  it("is from the smallest to the largest of nine", () => {
    const nine = [5, 1, 9, 3, 7, 2, 8, 4, 6]
    assert.deepInclude(remaining(nine, 0), { basis: "history", low: 1, point: 5, high: 9, n: 9 })
  })

  it("leaves out durations that were over by now", () => {
    const short = many(20, (index) => 100 + index)
    const long = many(20, (index) => 1_000 + index)
    assert.isBelow(remaining([...short, ...long], 0).low!, 120)
    assert.isAtLeast(remaining([...short, ...long], 200).low!, 800)
  })

  it("covers four of five in the tail too, where few lasted so long", () => {
    const random = seeded(11)
    let covered = 0
    const rounds = 2_000
    for (let round = 0; round < rounds; round++) {
      const past = many(30, () => 60_000 * exponential(random))
      const elapsed = past.toSorted((left, right) => right - left)[4]! + 1
      const left = 60_000 * exponential(random)
      const { basis, high, low } = remaining(past, elapsed)
      assert.strictEqual(basis, "history")
      if (low! <= left && left <= high!) covered += 1
    }
    assert.isAtLeast(covered / rounds, 0.75)
    assert.isAtMost(covered / rounds, 0.85)
  })
})

describe("the interval", () => {
  it("covers 80 % of what comes next, of any distribution and from 9 on", () => {
    const distributions: ReadonlyArray<(random: () => number) => number> = [
      (random) => random(),
      (random) => Math.exp(3 * exponential(random)),
      (random) => (random() < 0.5 ? random() : 100 + random())
    ]
    for (const draw of distributions) {
      for (const n of [9, 12, 25, 40]) {
        const random = seeded(n)
        const rounds = 4_000
        let covered = 0
        for (let round = 0; round < rounds; round++) {
          const { high, low } = remaining(
            many(n, () => 1e6 * draw(random)),
            0
          )
          const next = Math.round(1e6 * draw(random))
          if (low! <= next && next <= high!) covered += 1
        }
        // Four standard deviations of what chance does.
        assert.closeTo(covered / rounds, 0.8, 4 * Math.sqrt(0.16 / rounds))
      }
    }
  })
})

describe("several one after the other", () => {
  const estimate = (point: number, reach: number) =>
    ofValues(
      many(41, (index) => point + ((index - 20) * reach) / 16.8),
      "environment"
    )

  it("take as long as all together, with less uncertainty than the sum", () => {
    const both = together([estimate(1_000, 300), estimate(2_000, 400)])
    assert.deepInclude(both, { basis: "history", n: 41 })
    assert.closeTo(both.point!, 3_000, 30)
    assert.closeTo(both.high! - both.low!, 1_000, 100)
  })

  const distributions: Readonly<Record<string, (random: () => number) => number>> = {
    bimodal: (random) => (random() < 0.7 ? 20_000 : 120_000) * (1 + 0.05 * random()),
    exponential: (random) => 60_000 * exponential(random),
    lognormal: (random) => 60_000 * Math.exp(0.8 * normal(random))
  }
  for (const [name, draw] of Object.entries(distributions)) {
    for (const [k, n] of [
      [2, 9],
      [3, 40],
      [6, 15],
      [11, 40]
    ] as const) {
      it(`cover four of five where ${k} are to come and ${n} are known, ${name}`, () => {
        const random = seeded(k)
        const rounds = 600
        let covered = 0
        let below = 0
        for (let round = 0; round < rounds; round++) {
          const one = remaining(
            many(n, () => draw(random)),
            0
          )
          const { high, low, point } = together(many(k, () => one))
          const sum = many(k, () => draw(random)).reduce((left, right) => left + right)
          if (low! <= sum && sum <= high!) covered += 1
          if (sum <= point!) below += 1
        }
        assert.closeTo(covered / rounds, 0.8, 0.05)
        assert.closeTo(below / rounds, 0.49, 0.06)
      })
    }
  }

  it("are known no better than the least known of them", () => {
    const few = remaining([100, 120], 0, "stage")
    assert.deepInclude(together([estimate(1_000, 300), few]), { basis: "few", scope: "stage", n: 2 })
    assert.deepInclude(together([estimate(1_000, 300), remaining([], 0)]), { basis: "none", point: null })
  })

  it("are the one if there is only one", () => {
    assert.deepEqual(together([estimate(1_000, 300)]), estimate(1_000, 300))
  })
})

describe("what lasts unusually long", () => {
  it.prop("is what lasts longer than 19 of 20", [durations(enoughForUnusual), Millis], ([past, at]) => {
    const found = unusual(past, at)
    const shorter = past.filter((ms) => ms < at).length
    if (found === undefined) return assert.isBelow(shorter, Math.ceil(0.95 * (past.length + 1)))
    assert.isAtLeast(past.filter((ms) => ms <= found.threshold).length / past.length, 0.95)
    assert.isAbove(at, found.threshold)
    assert.strictEqual(found.n, past.length)
  })

  it("cannot be determined from 18", () => {
    const past = many(18, () => 10)
    assert.isUndefined(unusual(past, 1_000))
    assert.deepEqual(unusual([...past, 10], 1_000), { threshold: 10, n: 19 })
  })
})

describe("share left out on each side", () => {
  const { tailOf } = EstimateTail

  it("is a tenth without predictions", () => {
    assert.closeTo(tailOf([], 40), 0.1, 1e-12)
    const few = many(enough, (index) => index)
    assert.closeTo(tailOf(few, 40), 0.1, 1e-12)
  })

  it("is less where intervals did not hold, and more where all of them did", () => {
    const rising = many(30, (index) => 1_000 * 2 ** index)
    assert.isBelow(tailOf(rising, 40), 0.02)
    const same = many(30, () => 1_000)
    assert.isAbove(tailOf(same, 40), 0.1)
  })

  it("stays near a tenth if the past resembles the present", () => {
    const random = seeded(8)
    const tails = many(200, () =>
      tailOf(
        many(60, () => exponential(random)),
        40
      )
    )
    assert.closeTo(tails.reduce((sum, tail) => sum + tail, 0) / tails.length, 0.1, 0.01)
  })
})
