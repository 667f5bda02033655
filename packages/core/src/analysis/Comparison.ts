/**
 * Judges a candidate against the stable release over the same period: its errors at every look, its response times once
 * a step is over.
 */
import { type CauseInfo, causeInfo } from "../domain/errors/index.ts"
import type { CompareSpec } from "../domain/Spec.ts"
import type { Evidence } from "../domain/Verdict.ts"
import * as ErrorRatio from "./ErrorRatio.ts"
import { combine, type Judgement } from "./Gate.ts"
import * as MannWhitney from "./MannWhitney.ts"

/**
 * One comparison.
 *
 * *Details*: `missing` says why there is no decision: `data` there was none or too little, though more may come;
 * `means` the comparison is impossible here. Null if the comparison was made, even with an ambiguous result.
 */
export interface Compared {
  readonly evidence: Evidence
  readonly missing: "data" | "means" | null
}

/**
 * Evidence from this value on justifies asking a person, although the test itself does not decide yet.
 *
 * *Source*: R. E. Kass and A. E. Raftery, "Bayes factors", Journal of the American Statistical Association 90, 1995:
 * below 3 "not worth more than a bare mention", 3–20 "positive".
 */
const worthAsking = 3

/**
 * Judges the errors so far.
 *
 * *Details*: `fail` as soon as the sequential test says at `alpha` that the ratio of the error rates is above
 * `maxErrorRatio`, and its estimate is at least `minErrorEffect`. If the stable release had no error, the ratio has no
 * estimate, and the test alone decides. `inconclusive` below `minSamples` requests of either release, and if the
 * evidence is positive but insufficient; `no_data` if either had no request. `value` is the ratio, `effect` the
 * difference of the rates in percentage points.
 */
export const judgeErrors = (spec: CompareSpec, ratio: ErrorRatio.ErrorRatio): Compared => {
  const { candidate, stable } = ratio
  const n = candidate.requests + stable.requests
  const common = { metric: "error_rate_ratio", threshold: spec.maxErrorRatio, unit: "ratio", n } as const
  const least = Math.min(candidate.requests, stable.requests)
  if (least === 0) {
    const finding = causeInfo("compared_silent", { silent: stable.requests === 0 ? "stable" : "candidate" })
    return { missing: "data", evidence: { ...common, verdict: "no_data", value: null, finding } }
  }
  const value = ErrorRatio.estimate(ratio)
  const interval = ErrorRatio.interval(ratio, spec.alpha)
  const strength = ErrorRatio.evidence(ratio)
  const measured = {
    ...common,
    value,
    interval,
    effect: 100 * (candidate.errors / candidate.requests - stable.errors / stable.requests)
  }
  const counts = {
    candidateRequests: candidate.requests,
    candidateErrors: candidate.errors,
    stableRequests: stable.requests,
    stableErrors: stable.errors,
    ratio: value ?? undefined
  }
  const doubt = { ...counts, evidence: strength, needed: 1 / spec.alpha }
  const matters = value === null || value >= spec.minErrorEffect
  if (least < spec.minSamples) {
    const finding = causeInfo("compared_few", { ...counts, least, needed: spec.minSamples })
    return { missing: "data", evidence: { ...measured, verdict: "inconclusive", finding } }
  }
  if (strength >= 1 / spec.alpha && matters) {
    const sure = { atLeast: interval[0], confidence: 1 - spec.alpha, allowed: spec.maxErrorRatio }
    const finding = causeInfo("compared_worse", { ...counts, ...sure })
    return { missing: null, evidence: { ...measured, verdict: "fail", finding } }
  }
  if (strength >= worthAsking && matters) {
    const finding = causeInfo("compared_doubtful", doubt)
    return { missing: null, evidence: { ...measured, verdict: "inconclusive", finding } }
  }
  const finding =
    strength >= worthAsking
      ? causeInfo("compared_small", { ...counts, counts: spec.minErrorEffect })
      : value === null && candidate.errors > 0
        ? causeInfo("compared_apart", doubt)
        : causeInfo("compared", counts)
  return { missing: null, evidence: { ...measured, verdict: "pass", finding } }
}

/**
 * Response times of both releases, in milliseconds; null if the provider reports no single response times.
 */
export interface Latencies {
  readonly candidate: ReadonlyArray<number> | null
  readonly stable: ReadonlyArray<number> | null
}

/**
 * Judges response times, once: unlike the error test, this test must not be repeated until it fails.
 *
 * *Details*: `value` is by how many milliseconds the candidate is slower (Hodges and Lehmann), `interval` that shift
 * with `confidence`, `threshold` the tolerated shift: `tolerance` times the median of the stable release. `effect` is
 * the probability that a request to the candidate takes longer than one to the stable release. `fail` if the interval
 * lies above the threshold and `effect` is at least `minLatencyEffect`; `inconclusive` if the shift is above it and the
 * interval is not, and below `minSamples` of either release; `no_data` if either has none.
 *
 * *Source*: the judge of Netflix's Kayenta (`MannWhitneyClassifier`): interval beyond a tolerance, then effect size.
 * Kayenta's tolerance is a share of the estimated shift; here it is a share of the stable release's response time,
 * which says what is acceptable.
 */
export const judgeLatencies = (spec: CompareSpec, latencies: Latencies): Compared => {
  const candidate = latencies.candidate ?? []
  const stable = latencies.stable ?? []
  const n = candidate.length + stable.length
  const least = Math.min(candidate.length, stable.length)
  const common = { metric: "latency_shift", unit: "ms", n } as const
  if (least === 0) {
    const none = latencies.candidate === null || latencies.stable === null
    const finding = none
      ? causeInfo("shift_unmeasurable", {})
      : causeInfo("shift_silent", { silent: stable.length === 0 ? "stable" : "candidate" })
    return {
      missing: none ? "means" : "data",
      evidence: { ...common, verdict: "no_data", value: null, threshold: 0, finding }
    }
  }
  const median = MannWhitney.median(stable)
  const threshold = spec.tolerance * Math.abs(median)
  const { estimate, interval } = MannWhitney.shift(candidate, stable, spec.confidence)
  const { effect } = MannWhitney.rankTest(candidate, stable)
  const measured = { ...common, value: estimate, threshold, effect, ...(interval === null ? {} : { interval }) }
  if (interval === null || least < spec.minSamples) {
    const finding = causeInfo("shift_few", { least, needed: spec.minSamples })
    return { missing: "data", evidence: { ...measured, verdict: "inconclusive", finding } }
  }
  const [lower, upper] = interval
  const shift = { shiftMs: estimate, lowMs: lower, highMs: upper, confidence: spec.confidence, effect }
  if (estimate <= threshold || effect < spec.minLatencyEffect) {
    return { missing: null, evidence: { ...measured, verdict: "pass", finding: causeInfo("shift", shift) } }
  }
  const verdict = lower > threshold ? "fail" : "inconclusive"
  const finding = causeInfo(verdict === "fail" ? "shift_slower" : "shift_doubtful", {
    ...shift,
    allowedMs: threshold,
    tolerance: spec.tolerance,
    medianMs: median
  })
  return { missing: null, evidence: { ...measured, verdict, finding } }
}

/**
 * The result if there is nothing to compare with, or the comparison could not be measured.
 */
export const without = (verdict: "no_data" | "error", finding: CauseInfo): Compared => ({
  missing: verdict === "no_data" ? "means" : null,
  evidence: { metric: "error_rate_ratio", verdict, value: null, threshold: 0, unit: "ratio", n: 0, finding }
})

/**
 * Adds comparisons to the candidate's own judgement: the worst verdict wins.
 *
 * *Details*: missing data keeps the candidate from passing if `missing` is `counted`. If it is `said`, the evidence
 * only mentions it. Impossible comparisons are only mentioned in either case.
 */
export const join = (
  judgement: Judgement,
  compared: ReadonlyArray<Compared>,
  options: { readonly missing: "counted" | "said" }
): Judgement => {
  const all = compared.map(({ evidence }) => evidence)
  const counted = compared.filter(
    ({ missing }) => missing === null || (missing === "data" && options.missing === "counted")
  )
  const verdict = combine([judgement.verdict, ...counted.map(({ evidence }) => evidence.verdict)])
  const shown =
    verdict === "pass" ? all : counted.map(({ evidence }) => evidence).filter((one) => one.verdict === verdict)
  const findings = [
    ...(judgement.verdict === verdict ? judgement.findings : []),
    ...shown.map(({ finding }) => finding)
  ]
  return { verdict, findings, evidence: [...judgement.evidence, ...all] }
}
