import { describe, it } from "@effect/vitest"
import { assert } from "vitest"
import * as ErrorRatio from "../../src/analysis/ErrorRatio.ts"
import { failures, many, seeded } from "./chance.ts"

const { add, estimate, evidence, interval, start } = ErrorRatio

const pair = (c: number, x: number, s: number, y: number): ErrorRatio.Pair => ({
  candidate: { requests: c, errors: x },
  stable: { requests: s, errors: y }
})

const after = (tolerated: number, ...looks: ReadonlyArray<ErrorRatio.Pair>) => looks.reduce(add, start(tolerated))

const binomial = (n: number, p: number): ReadonlyArray<number> => {
  const chances = [(1 - p) ** n]
  for (let k = 1; k <= n; k++) chances.push((chances[k - 1]! * (n - k + 1) * p) / (k * (1 - p)))
  return chances
}

/** The expectation of the evidence after one look, over all that can happen in it. */
const expected = (tolerated: number, c: number, p: number, s: number, q: number, before = start(tolerated)): number => {
  let sum = 0
  binomial(c, p).forEach((ofX, x) => {
    binomial(s, q).forEach((ofY, y) => {
      sum += ofX * ofY * evidence(add(before, pair(c, x, s, y)))
    })
  })
  return sum
}

describe("the evidence", () => {
  it("is 1 before anything happened, and without errors or without one of the releases", () => {
    assert.closeTo(evidence(start(1.5)), 1, 1e-12)
    assert.closeTo(evidence(after(1.5, pair(500, 0, 500, 0))), 1, 1e-12)
    assert.closeTo(evidence(after(1.5, pair(500, 20, 0, 0))), 1, 1e-12)
    assert.closeTo(evidence(after(1.5, pair(0, 0, 500, 20))), 1, 1e-12)
  })

  it("is not expected to grow at any look, whatever the rates, as long as their ratio is tolerated", () => {
    for (const tolerated of [1, 1.5, 3]) {
      for (const [c, s] of [[1, 1] as const, [3, 5] as const, [2, 12] as const, [9, 4] as const]) {
        for (const q of [0.001, 0.05, 0.3]) {
          for (const ratio of [0, 0.5, 1]) {
            assert.isAtMost(expected(tolerated, c, ratio * tolerated * q, s, q), 1 + 1e-12)
          }
          const before = after(tolerated, pair(20, 3, 10, 1))
          assert.isAtMost(expected(tolerated, c, tolerated * q, s, q, before), evidence(before) * (1 + 1e-12))
        }
      }
    }
  })

  it("loses almost nothing if errors are rare, and grows if the ratio is above", () => {
    assert.isAbove(expected(1.5, 10, 0.0015, 20, 0.001), 1 - 1e-4)
    assert.isAbove(expected(1, 10, 0.02, 10, 0.01), 1.001)
  })

  it("depends on how traffic was shared, not on how often it was looked at", () => {
    const random = seeded(1)
    const looks = many(20, () => pair(10, failures(random, 10, 0.2), 40, failures(random, 40, 0.1)))
    const whole = looks.reduce(ErrorRatio.both)
    const one = after(1.2, whole)
    const step = after(1.2, ...looks)
    assert.closeTo(evidence(step) / evidence(one), 1, 1e-9)
    assert.deepEqual([step.candidate, step.stable], [whole.candidate, whole.stable])
    assert.closeTo(estimate(step)!, estimate(one)!, 1e-9)
  })

  it("does not take a base rate that rose along with the candidate's share for a bad candidate", () => {
    // Crude counts: 2.1 % against 0.67 %. In each of the two looks the rates are the same.
    const drifted = after(1, pair(1_000, 5, 9_000, 45), pair(9_000, 225, 1_000, 25))
    assert.isBelow(evidence(drifted), 0.2)
    assert.closeTo(estimate(drifted)!, 1, 0.05)
  })

  it("of a single error is small, whatever the shares of traffic", () => {
    for (const s of [1, 50, 5_000, 5_000_000]) {
      for (const c of [1, 50, 5_000]) assert.isBelow(evidence(after(1, pair(c, 1, s, 0))), 3.5)
    }
  })

  it("accumulates if the stable release has no errors at all", () => {
    const ofErrors = many(13, (errors) => evidence(after(1, pair(500, errors, 500, 0))))
    ofErrors.forEach((value, errors) => assert.isTrue(errors === 0 || value > ofErrors[errors - 1]!))
    assert.isBelow(ofErrors[4]!, 5)
    assert.isAbove(ofErrors[8]!, 20)
    assert.isNull(estimate(after(1, pair(500, 12, 500, 0))))
  })
})

describe("the interval", () => {
  it("turns around when the releases change places", () => {
    const [lower, upper] = interval(after(1, pair(900, 30, 1_100, 12)), 0.05)
    const turned = interval(after(1, pair(1_100, 12, 900, 30)), 0.05)
    assert.closeTo(1 / upper, turned[0], 1e-9)
    assert.closeTo(1 / lower, turned[1], 1e-9)
  })

  it("lies above the tolerated ratio exactly if the evidence suffices", () => {
    const random = seeded(2)
    for (let round = 0; round < 300; round++) {
      const ratio = after(1.25, pair(400, failures(random, 400, 0.08), 600, failures(random, 600, 0.04)))
      const [lower, upper] = interval(ratio, 0.05)
      assert.strictEqual(lower >= 1.25 - 1e-9, evidence(ratio) >= 20)
      const between = estimate(ratio)!
      assert.isTrue(lower < between && between < upper)
    }
  })

  it("is open if there were no errors", () => {
    assert.deepEqual(
      interval(after(1, pair(500, 0, 500, 0)), 0.05).map((end) => Math.round(end)),
      [0, 992]
    )
    const [lower, upper] = interval(after(1, pair(500, 30, 500, 0)), 0.05)
    assert.isAbove(lower, 2)
    assert.isAbove(upper, 900)
    // A thousand times as many, as far as one can tell: more than an interval reaches.
    assert.strictEqual(Math.round(interval(after(1, pair(1_000, 1_000, 5_000, 5)), 0.05)[1]), 992)
  })

  it("covers the true ratio at all looks at once, as often as promised", () => {
    const random = seeded(4)
    const rounds = 300
    let missed = 0
    for (let round = 0; round < rounds; round++) {
      let ratio = start(1)
      let inside = true
      for (let look = 0; look < 25 && inside; look++) {
        ratio = add(ratio, pair(200, failures(random, 200, 0.06), 200, failures(random, 200, 0.03)))
        const [lower, upper] = interval(ratio, 0.05)
        inside = lower <= 2 && 2 <= upper
      }
      if (!inside) missed += 1
    }
    assert.isAtMost(missed / rounds, 0.1)
    assert.isAbove(missed, 0)
  })
})
