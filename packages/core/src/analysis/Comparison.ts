/**
 * Judging a candidate against the stable release, over one and the same time: its errors at every look, its response times
 * once a step is over.
 */
import type { CompareSpec } from "../domain/Spec.ts"
import type { Evidence } from "../domain/Verdict.ts"
import * as ErrorRatio from "./ErrorRatio.ts"
import { combine, type Judgement } from "./Gate.ts"
import * as MannWhitney from "./MannWhitney.ts"

/**
 * One comparison.
 *
 * *Details*: `missing` says why it decides nothing: `data` there was none or too little, though there could be more;
 * `means` it cannot be made at all here. Null where it was made, also where its outcome is ambiguous.
 */
export interface Compared {
  readonly evidence: Evidence
  readonly missing: "data" | "means" | null
}

/**
 * From here on evidence is worth asking a person, whom the test itself would not yet call.
 *
 * *Source*: R. E. Kass and A. E. Raftery, "Bayes factors", Journal of the American Statistical Association 90, 1995: below 3
 * "not worth more than a bare mention", 3–20 "positive".
 */
const worthAsking = 3

/**
 * Judges the errors so far.
 *
 * *Details*: `fail` as soon as the sequential test says at `alpha` that the ratio of the error rates is above
 * `maxErrorRatio`, and its estimate is at least `minErrorEffect`; where the stable release had no error the ratio has no
 * estimate, and the test alone decides. `inconclusive` below `minSamples` requests of either release, and where the
 * evidence is positive but does not suffice; `no_data` where one of them had no request. `value` is the ratio, `effect` the
 * difference of the rates in percentage points.
 */
export const judgeErrors = (spec: CompareSpec, ratio: ErrorRatio.ErrorRatio): Compared => {
  const { candidate, stable } = ratio
  const n = candidate.requests + stable.requests
  const common = { metric: "error_rate_ratio", threshold: spec.maxErrorRatio, unit: "ratio", n } as const
  const least = Math.min(candidate.requests, stable.requests)
  if (least === 0) {
    const silent = stable.requests === 0 ? "the stable release" : "the candidate"
    const reason = `${silent} had no request: its errors cannot be compared`
    return { missing: "data", evidence: { ...common, verdict: "no_data", value: null, reason } }
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
  const counts = `${rate(candidate)}, the stable release ${rate(stable)}`
  const times = value === null ? counts : `${counts}: ${round(value)} times its error rate`
  const sure = `at least ${round(interval[0])} times with ${percent(1 - spec.alpha)} confidence`
  const matters = value === null || value >= spec.minErrorEffect
  if (least < spec.minSamples) {
    const reason = `${times}; only ${least} of the ${spec.minSamples} requests of each release needed to compare`
    return { missing: "data", evidence: { ...measured, verdict: "inconclusive", reason } }
  }
  if (strength >= 1 / spec.alpha && matters) {
    const reason = `${times}, ${sure}, ${round(spec.maxErrorRatio)} allowed`
    return { missing: null, evidence: { ...measured, verdict: "fail", reason } }
  }
  if (strength >= worthAsking && matters) {
    const reason = `${times}, which may be chance (evidence ${round(strength)}, ${round(1 / spec.alpha)} fails)`
    return { missing: null, evidence: { ...measured, verdict: "inconclusive", reason } }
  }
  const reason =
    strength >= worthAsking
      ? `${times}, less than the ${round(spec.minErrorEffect)} that count`
      : value === null && candidate.errors > 0
        ? `${times}: too few to tell them apart (evidence ${round(strength)}, ${round(1 / spec.alpha)} fails)`
        : times
  return { missing: null, evidence: { ...measured, verdict: "pass", reason } }
}

/**
 * Response times of both releases, in milliseconds; null where the provider gives no single ones.
 */
export interface Latencies {
  readonly candidate: ReadonlyArray<number> | null
  readonly stable: ReadonlyArray<number> | null
}

/**
 * Judges response times, once: unlike that of errors this test does not bear being repeated until it fails.
 *
 * *Details*: `value` is by how many milliseconds the candidate is slower (Hodges and Lehmann), `interval` that shift with
 * `confidence`, `threshold` the tolerated shift: `tolerance` times the median of the stable release. `effect` is the
 * probability that a request to the candidate takes longer than one to the stable release. `fail` where the interval lies
 * above the threshold and `effect` is at least `minLatencyEffect`; `inconclusive` where the shift is above it and the
 * interval is not, and below `minSamples` of either release; `no_data` where one of them has none.
 *
 * *Source*: the judge of Netflix's Kayenta (`MannWhitneyClassifier`): interval beyond a tolerance, then effect size. There
 * the tolerance is a share of the estimated shift itself; here it is one of the stable release's response time, which says
 * what is bearable.
 */
export const judgeLatencies = (spec: CompareSpec, latencies: Latencies): Compared => {
  const candidate = latencies.candidate ?? []
  const stable = latencies.stable ?? []
  const n = candidate.length + stable.length
  const least = Math.min(candidate.length, stable.length)
  const common = { metric: "latency_shift", unit: "ms", n } as const
  if (least === 0) {
    const silent = stable.length === 0 ? "stable release" : "candidate"
    const none = latencies.candidate === null || latencies.stable === null
    const reason = none
      ? "the provider gives no single response times to compare"
      : `no response time of the ${silent} was measured: there is nothing to compare`
    return {
      missing: none ? "means" : "data",
      evidence: { ...common, verdict: "no_data", value: null, threshold: 0, reason }
    }
  }
  const median = MannWhitney.median(stable)
  const threshold = spec.tolerance * Math.abs(median)
  const { estimate, interval } = MannWhitney.shift(candidate, stable, spec.confidence)
  const { effect } = MannWhitney.rankTest(candidate, stable)
  const measured = { ...common, value: estimate, threshold, effect, ...(interval === null ? {} : { interval }) }
  if (interval === null || least < spec.minSamples) {
    const reason = `only ${least} of the ${spec.minSamples} response times of each release needed to compare`
    return { missing: "data", evidence: { ...measured, verdict: "inconclusive", reason } }
  }
  const [lower, upper] = interval
  const slower = estimate < 0 ? "faster" : "slower"
  const between = estimate < 0 ? `${round(-upper)} to ${round(-lower)}` : `${round(lower)} to ${round(upper)}`
  const short = `responses ${round(Math.abs(estimate))} ms ${slower} than the stable release's (${percent(spec.confidence)} interval ${between} ms, effect ${round(effect)})`
  const allowed = `${round(threshold)} ms slower allowed (${percent(spec.tolerance)} of ${round(median)} ms)`
  if (estimate <= threshold || effect < spec.minLatencyEffect) {
    return { missing: null, evidence: { ...measured, verdict: "pass", reason: short } }
  }
  const verdict = lower > threshold ? "fail" : "inconclusive"
  const chance = verdict === "fail" ? "" : ", which may be chance"
  return { missing: null, evidence: { ...measured, verdict, reason: `${short}${chance}, ${allowed}` } }
}

/**
 * Where there is nothing to compare with, or the comparison could not be measured.
 */
export const without = (verdict: "no_data" | "error", reason: string): Compared => ({
  missing: verdict === "no_data" ? "means" : null,
  evidence: { metric: "error_rate_ratio", verdict, value: null, threshold: 0, unit: "ratio", n: 0, reason }
})

/**
 * Adds comparisons to the judgement of the candidate by itself: the worst verdict wins.
 *
 * *Details*: missing data keeps the candidate from passing where `missing` is `counted`; where it is `said` it is only said
 * in the evidence, and so are comparisons for which the means are missing, in any case.
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
  const reasons = [...(judgement.verdict === verdict ? [judgement.reason] : []), ...shown.map(({ reason }) => reason)]
  return { verdict, reason: reasons.join("; "), evidence: [...judgement.evidence, ...all] }
}

const rate = ({ errors, requests }: ErrorRatio.Count): string =>
  `${errors === 0 ? "no" : errors} error${errors === 1 ? "" : "s"} in ${requests} request${requests === 1 ? "" : "s"}`

const round = (value: number): string =>
  String(Math.abs(value) < 10 ? Math.round(value * 100) / 100 : Math.round(value))

const percent = (share: number): string => `${Math.round(share * 10_000) / 100} %`
