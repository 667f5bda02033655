/** Runs thousands of watched rollouts. The figures are in docs/gates.md. */
import { describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { assert } from "vitest"
import * as Comparison from "../../src/analysis/Comparison.ts"
import * as ErrorRatio from "../../src/analysis/ErrorRatio.ts"
import { CompareSpec } from "../../src/domain/Spec.ts"
import { exponential, failures, many, seeded } from "./chance.ts"

const spec = Schema.decodeUnknownSync(CompareSpec)({})

interface Scenario {
  readonly seed: number
  readonly rollouts: number
  /** Requests of the candidate in all; looks come every 50 to 200 of them. */
  readonly requests: number
  /** The candidate's share of the traffic, and the error rates of both, after so many of its requests. */
  readonly share: (done: number) => number
  readonly candidate: (done: number) => number
  readonly stable: (done: number) => number
  readonly tolerated?: number
}

interface Watched {
  /** The strongest evidence at any look, of each rollout. */
  readonly peaks: ReadonlyArray<number>
  /** Rollouts that the judge failed, with its defaults, at any look. */
  readonly failed: number
  /** Those left undecided after the last look. */
  readonly undecided: number
  /** Rollouts that a test for one look (z ≥ 1.645) would have failed at one of them. */
  readonly naive: number
  /** Requests of the candidate until half of the rollouts failed. */
  readonly median: number
}

const watch = (scenario: Scenario): Watched => {
  const random = seeded(scenario.seed)
  const judged = { ...spec, maxErrorRatio: scenario.tolerated ?? 1 }
  const ends: Array<number> = []
  let undecided = 0
  let naive = 0
  const peaks = many(scenario.rollouts, () => {
    let ratio = ErrorRatio.start(judged.maxErrorRatio)
    let peak = 1
    let done = 0
    let failedAt = Infinity
    let alarmed = false
    while (done < scenario.requests) {
      const requests = Math.min(scenario.requests - done, 50 + Math.floor(151 * random()))
      const share = scenario.share(done)
      const others = Math.round((requests * (1 - share)) / share)
      const candidate = { requests, errors: failures(random, requests, scenario.candidate(done)) }
      const stable = { requests: others, errors: failures(random, others, scenario.stable(done)) }
      ratio = ErrorRatio.add(ratio, { candidate, stable })
      done += requests
      const evidence = ErrorRatio.evidence(ratio)
      peak = Math.max(peak, evidence)
      // The judge is only called where it could fail; elsewhere it only costs time here.
      if (failedAt === Infinity && evidence >= 1 / spec.alpha) {
        if (Comparison.judgeErrors(judged, ratio).evidence.verdict === "fail") failedAt = done
      }
      const errors = ratio.candidate.errors + ratio.stable.errors
      const part = ratio.candidate.requests / (ratio.candidate.requests + ratio.stable.requests)
      if (errors > 0 && ratio.candidate.errors - errors * part >= 1.645 * Math.sqrt(errors * part * (1 - part))) {
        alarmed = true
      }
    }
    ends.push(failedAt)
    if (alarmed) naive += 1
    if (failedAt === Infinity && Comparison.judgeErrors(judged, ratio).evidence.verdict === "inconclusive")
      undecided += 1
    return peak
  })
  const sorted = ends.toSorted((a, b) => a - b)
  const share = (count: number) => count / scenario.rollouts
  return {
    peaks,
    failed: share(ends.filter((end) => end < Infinity).length),
    undecided: share(undecided),
    naive: share(naive),
    median: sorted[Math.floor(sorted.length / 2)]!
  }
}

/** How many rollouts a test at `alpha` would have stopped at one of its looks. */
const alarms = ({ peaks }: Watched, alpha: number): number =>
  peaks.filter((peak) => peak >= 1 / alpha).length / peaks.length

const always = (value: number) => () => value

const show = (name: string, watched: Watched): void => {
  if (process.env["SHOW_FIGURES"] === undefined) return
  const { failed, median, naive, undecided } = watched
  const of = [0.05, 0.02, 0.01].map((alpha) => `${alpha}: ${alarms(watched, alpha)}`).join(" ")
  console.log(`${name}: failed ${failed}, median ${median}, undecided ${undecided}, naive ${naive}, by alpha ${of}`)
}

describe("a candidate as good as the stable release, watched all the time", () => {
  const scenarios: ReadonlyArray<readonly [string, Scenario]> = [
    [
      "1 % errors, traffic halved",
      { seed: 11, rollouts: 2_500, requests: 5_000, share: always(0.5), candidate: always(0.01), stable: always(0.01) }
    ],
    [
      "1 % errors, a tenth of the traffic",
      { seed: 12, rollouts: 2_000, requests: 2_500, share: always(0.1), candidate: always(0.01), stable: always(0.01) }
    ],
    [
      "30 % errors",
      { seed: 13, rollouts: 2_000, requests: 2_000, share: always(0.5), candidate: always(0.3), stable: always(0.3) }
    ],
    [
      "steps of 10, 25 and 50 % while the errors of both rise from 0.5 to 4.5 %",
      {
        seed: 14,
        rollouts: 2_000,
        requests: 3_000,
        share: (done) => (done < 1_000 ? 0.1 : done < 2_000 ? 0.25 : 0.5),
        candidate: (done) => 0.005 + (0.04 * done) / 3_000,
        stable: (done) => 0.005 + (0.04 * done) / 3_000
      }
    ],
    [
      "half as many errors again, where that is tolerated",
      {
        seed: 15,
        rollouts: 2_000,
        requests: 3_000,
        share: always(0.5),
        candidate: always(0.03),
        stable: always(0.02),
        tolerated: 1.5
      }
    ]
  ]

  it.each(scenarios)("is failed no more often than alpha promises: %s", (name, scenario) => {
    const watched = watch(scenario)
    show(name, watched)
    for (const alpha of [0.1, 0.05, 0.02, 0.01]) assert.isAtMost(alarms(watched, alpha), alpha)
    assert.isAtMost(watched.failed, spec.alpha)
    // Persons are not asked all the time either.
    assert.isAtMost(watched.undecided, 0.06)
  })

  it("would be failed several times as often by a test made for one look", () => {
    const [, scenario] = scenarios[0]!
    assert.isAbove(watch({ ...scenario, rollouts: 500 }).naive, 4 * spec.alpha)
  })
})

describe("a candidate with more errors than the stable release", () => {
  it("is found with a power of 90 % at 1 → 2 % and 5,000 requests a side", () => {
    const watched = watch({
      seed: 21,
      rollouts: 2_500,
      requests: 5_000,
      share: always(0.5),
      candidate: always(0.02),
      stable: always(0.01)
    })
    show("1 → 2 %", watched)
    assert.isAtLeast(watched.failed, 0.9)
    assert.isBelow(watched.median, 2_500)
  })

  it.each([
    ["1 → 2 % at a tenth of the traffic", 0.1, 0.01, 0.02, 5_000, 0.98],
    ["0.5 → 5 %", 0.5, 0.005, 0.05, 1_000, 0.98],
    ["no errors → 3 %", 0.5, 0, 0.03, 1_000, 0.98],
    ["20 → 30 %", 0.5, 0.2, 0.3, 1_500, 0.95]
  ] as const)("is found: %s", (name, share, stable, candidate, requests, power) => {
    const watched = watch({
      seed: 22,
      rollouts: 400,
      requests,
      share: always(share),
      candidate: always(candidate),
      stable: always(stable)
    })
    show(name, watched)
    assert.isAtLeast(watched.failed, power)
  })
})

describe("response times, judged once", () => {
  const judge = (slower: number, rounds: number, seed: number) => {
    const random = seeded(seed)
    // A floor and a long tail: median about 34 ms, 95th percentile 80.
    const times = (n: number, factor: number) => many(n, () => factor * (20 + 20 * exponential(random)))
    const verdicts = many(
      rounds,
      () => Comparison.judgeLatencies(spec, { candidate: times(200, slower), stable: times(200, 1) }).evidence.verdict
    )
    const share = (verdict: string) => verdicts.filter((one) => one === verdict).length / rounds
    if (process.env["SHOW_FIGURES"] !== undefined) {
      console.log(`latency × ${slower}: fail ${share("fail")}, inconclusive ${share("inconclusive")}`)
    }
    return share
  }

  it("never fail a candidate that is as fast", () => {
    assert.strictEqual(judge(1, 1_000, 31)("pass"), 1)
  })

  it("fail a tolerably slow one no more often than the confidence promises", () => {
    assert.isAtMost(judge(1.25, 500, 32)("fail"), 0.02)
  })

  it("fail one that takes 1.6 times as long, with 200 requests a side", () => {
    assert.isAtLeast(judge(1.6, 300, 33)("fail"), 0.95)
  })
})
