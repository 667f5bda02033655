import { describeCause } from "@signalbox/core/text"
import { causeInfo } from "@signalbox/core/spi"
import { describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { assert } from "vitest"
import * as Comparison from "../../src/analysis/Comparison.ts"
import * as ErrorRatio from "../../src/analysis/ErrorRatio.ts"
import type { Judgement } from "../../src/analysis/Gate.ts"
import { CompareSpec } from "../../src/domain/Spec.ts"
import { Evidence } from "../../src/domain/Verdict.ts"
import { many, seeded } from "./chance.ts"

const decode = Schema.decodeUnknownSync(CompareSpec)
const spec = decode({})

const errors = (c: number, x: number, s: number, y: number, changes: Partial<CompareSpec> = {}) =>
  Comparison.judgeErrors(
    { ...spec, ...changes },
    ErrorRatio.add(ErrorRatio.start(changes.maxErrorRatio ?? spec.maxErrorRatio), {
      candidate: { requests: c, errors: x },
      stable: { requests: s, errors: y }
    })
  )

const said = ({ evidence }: Comparison.Compared) => `${evidence.verdict}: ${describeCause(evidence.finding)}`

describe("defaults of a comparison", () => {
  it("is 5 % false alarms, no error more, 98 % confidence, a quarter slower and 50 requests", () => {
    assert.deepEqual(spec, {
      alpha: 0.05,
      maxErrorRatio: 1,
      minErrorEffect: 1.25,
      confidence: 0.98,
      tolerance: 0.25,
      minLatencyEffect: 0.56,
      minSamples: 50
    })
  })

  it.each([
    { alpha: 0 },
    { alpha: 0.3 },
    { maxErrorRatio: 0.5 },
    { confidence: 1 },
    { minSamples: 0 },
    { tolerance: -1 }
  ])("is not %j", (wrong) => {
    assert.throws(() => decode(wrong))
  })
})

describe("the candidate's errors beside the stable release's", () => {
  it("fail, with the interval and the limit", () => {
    const failed = errors(2_000, 60, 2_000, 20)
    assert.strictEqual(
      said(failed),
      "fail: 60 errors in 2000 requests, against 20 errors in 2000 requests of the stable release: 3 times its error rate, at least 1.49 times with 95 % confidence, 1 allowed"
    )
    const { effect, interval, n, threshold, value } = failed.evidence
    assert.deepEqual({ n, threshold, value }, { n: 4_000, threshold: 1, value: 3 })
    assert.closeTo(effect!, 2, 1e-9)
    assert.isTrue(interval![0] > 1 && interval![0] < 3 && interval![1] > 3)
  })

  it("pass if they are alike", () => {
    assert.strictEqual(
      said(errors(1_000, 10, 9_000, 88)),
      "pass: 10 errors in 1000 requests, against 88 errors in 9000 requests of the stable release: 1.02 times its error rate"
    )
    assert.strictEqual(
      said(errors(500, 0, 500, 0)),
      "pass: no errors in 500 requests, against no errors in 500 requests of the stable release"
    )
  })

  it("are undecided if the evidence is positive but insufficient", () => {
    assert.match(
      said(errors(1_000, 24, 1_000, 10)),
      /^inconclusive: .*: 2\.4 times its error rate, which may be chance \(evidence [\d.]+, fails at 20\)$/
    )
  })

  it("pass, and say so, where a difference is certain and too small to count", () => {
    const compared = errors(1_000_000, 11_500, 1_000_000, 10_000)
    assert.isAbove(compared.evidence.interval![0], 1)
    assert.match(said(compared), /^pass: .*: 1\.15 times its error rate, below the ratio of 1\.25 that counts$/)
    assert.strictEqual(errors(1_000_000, 13_500, 1_000_000, 10_000).evidence.verdict, "fail")
    assert.strictEqual(errors(1_000_000, 13_500, 1_000_000, 10_000, { maxErrorRatio: 1.5 }).evidence.verdict, "pass")
  })

  it("fail over a stable release without any, though there is no ratio", () => {
    const failed = errors(500, 12, 500, 0)
    assert.isNull(failed.evidence.value)
    assert.match(
      said(failed),
      /^fail: 12 errors in 500 requests, against no errors in 500 requests of the stable release, at least 1\.\d+ times with 95 % confidence, 1 allowed$/
    )
  })

  it("neither fail nor pass silently over a stable release without any, if they are few", () => {
    assert.match(
      said(errors(500, 1, 500, 0)),
      /^pass: 1 error in 500 requests, against no errors in 500 requests of the stable release: too few to tell them apart \(evidence 1\.\d+, fails at 20\)$/
    )
    assert.strictEqual(errors(500, 5, 500, 0).evidence.verdict, "inconclusive")
    assert.strictEqual(errors(50, 1, 5_000_000, 0, { alpha: 0.2 }).evidence.verdict, "inconclusive")
  })

  it("are undecided below the samples needed of either release, and no data without any", () => {
    assert.match(
      said(errors(49, 20, 5_000, 10)),
      /^inconclusive: .*; only 49 of the 50 requests of each release needed/
    )
    assert.strictEqual(errors(5_000, 100, 49, 0).evidence.verdict, "inconclusive")
    assert.strictEqual(
      said(errors(500, 30, 0, 0)),
      "no_data: the stable release had no request: its errors cannot be compared"
    )
    assert.strictEqual(
      said(errors(0, 0, 500, 3)),
      "no_data: the candidate had no request: its errors cannot be compared"
    )
    assert.isTrue([errors(49, 20, 5_000, 10), errors(500, 30, 0, 0)].every(({ missing }) => missing === "data"))
    assert.isNull(errors(500, 5, 500, 0).missing)
  })
})

const random = seeded(8)
const times = (n: number, middle: number, spread = 0.2) => many(n, () => middle * (1 + spread * (2 * random() - 1)))
const latencies = (candidate: ReadonlyArray<number> | null, stable: ReadonlyArray<number> | null) =>
  Comparison.judgeLatencies(spec, { candidate, stable })

describe("the candidate's response times beside the stable release's", () => {
  it("fail if they are longer than tolerated", () => {
    const failed = latencies(times(200, 30), times(200, 20))
    assert.match(
      said(failed),
      /^fail: responses (9|10)[.\d]* ms slower than the stable release's \(98 % interval [\d.]+ to [\d.]+ ms, effect 1\), (4|5)[.\d]* ms slower allowed \(25 % of (19|20)[.\d]* ms\)$/
    )
    const { effect, interval, n, threshold, unit, value } = failed.evidence
    assert.deepEqual({ n, unit }, { n: 400, unit: "ms" })
    assert.isTrue(effect! > 0.99 && interval![0] > threshold && value! > interval![0])
  })

  it("pass if they are longer within the tolerance, alike or shorter", () => {
    assert.match(said(latencies(times(200, 22), times(200, 20))), /^pass: responses [\d.]+ ms slower/)
    assert.match(said(latencies(times(200, 15), times(200, 20))), /^pass: responses 5[.\d]* ms faster than the stable/)
  })

  it("pass if they are longer and hardly a request would notice", () => {
    const wild = (n: number) => many(n, (index) => (index % 2 === 0 ? 1 : 1_000_000 * random()))
    const slower = wild(400).map((value) => value + 1)
    assert.strictEqual(
      Comparison.judgeLatencies(
        { ...spec, tolerance: 0, minLatencyEffect: 0.8 },
        { candidate: slower, stable: wild(400) }
      ).evidence.verdict,
      "pass"
    )
  })

  it("are undecided if the shift is too large and the interval is not", () => {
    const stable = many(61, (index) => 5 + index / 2)
    const candidate = stable.map((value) => value + 6)
    assert.match(said(latencies(candidate, stable)), /^inconclusive: .*, which may be chance, /)
  })

  it("are undecided if they are few, and no data without any", () => {
    assert.match(said(latencies(times(49, 90), times(900, 20))), /^inconclusive: only 49 of the 50 response times/)
    assert.match(said(latencies(times(90, 90), [])), /^no_data: no response time of the stable release was measured/)
    assert.match(said(latencies([], times(90, 90))), /^no_data: no response time of the candidate was measured/)
    assert.match(said(latencies(null, null)), /^no_data: the metric source has no individual response times to compare/)
  })
})

describe("all evidence", () => {
  it("can be stored", () => {
    const decodeEvidence = Schema.decodeUnknownSync(Evidence, { onExcessProperty: "error" })
    for (const { evidence } of [
      errors(500, 12, 500, 0),
      errors(0, 0, 500, 0),
      errors(500, 500, 500_000, 0),
      latencies(times(60, 30), times(60, 20)),
      latencies(times(2, 30), times(60, 20)),
      Comparison.without("no_data", causeInfo("not_compared", { why: "no_traffic" }))
    ]) {
      assert.deepEqual(decodeEvidence(evidence), evidence)
    }
  })
})

describe("both judgements together", () => {
  const healthy = causeInfo("health", { percent: 100 })
  const alone: Judgement = { verdict: "pass", findings: [healthy], evidence: [] }
  const few = errors(500, 30, 0, 0)
  const bad = errors(2_000, 60, 2_000, 20)
  const good = errors(1_000, 10, 9_000, 88)

  it("are as bad as the worse one, and give its reasons", () => {
    const joined = Comparison.join(alone, [bad, few], { missing: "counted" })
    assert.strictEqual(joined.verdict, "fail")
    assert.deepEqual(joined.findings, [bad.evidence.finding])
    assert.deepEqual(joined.evidence, [bad.evidence, few.evidence])
    const sick = causeInfo("health_unknown", {})
    const failed = Comparison.join({ ...alone, verdict: "fail", findings: [sick] }, [good], { missing: "counted" })
    assert.deepEqual([failed.verdict, failed.findings], ["fail", [sick]])
  })

  it("pass with all reasons, and stay as they were without a comparison", () => {
    const joined = Comparison.join(alone, [good], { missing: "counted" })
    assert.deepEqual(joined.findings, [healthy, good.evidence.finding])
    assert.deepEqual(Comparison.join(alone, [], { missing: "counted" }), alone)
  })

  it("do not pass over missing data, unless it only has to be mentioned", () => {
    assert.strictEqual(Comparison.join(alone, [few], { missing: "counted" }).verdict, "no_data")
    const joined = Comparison.join(alone, [few], { missing: "said" })
    assert.strictEqual(joined.verdict, "pass")
    assert.deepInclude(joined.findings, few.evidence.finding)
    const means = latencies(null, null)
    assert.strictEqual(Comparison.join(alone, [means], { missing: "counted" }).verdict, "pass")
    assert.deepInclude(Comparison.join(alone, [means], { missing: "counted" }).findings, means.evidence.finding)
    const undecided = Comparison.join(alone, [errors(500, 5, 500, 0)], { missing: "said" })
    assert.strictEqual(undecided.verdict, "inconclusive")
  })
})
