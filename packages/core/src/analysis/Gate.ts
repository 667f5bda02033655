/**
 * Judges one release by its own health, errors and response time.
 */
import * as Duration from "effect/Duration"
import { type CauseInfo, causeInfo } from "../domain/errors/index.ts"
import type { GateSpec } from "../domain/Spec.ts"
import type { Evidence, Measured, VerdictKind } from "../domain/Verdict.ts"

export type { Measured } from "../domain/Verdict.ts"

/**
 * A judgement with its evidence; `findings` are the decisive ones.
 */
export interface Judgement {
  readonly verdict: VerdictKind
  readonly findings: ReadonlyArray<CauseInfo>
  readonly evidence: ReadonlyArray<Evidence>
}

const worst: ReadonlyArray<VerdictKind> = ["fail", "error", "no_data", "inconclusive", "pass"]

/**
 * The verdict over several: the worst of them, in the order fail, error, no_data, inconclusive, pass. Nothing at all is
 * no_data.
 */
export const combine = (verdicts: ReadonlyArray<VerdictKind>): VerdictKind =>
  worst.find((kind) => verdicts.includes(kind)) ?? "no_data"

/**
 * The judgement if the measurement itself failed.
 */
export const unmeasured = (why: string): Judgement => ({
  verdict: "error",
  findings: [causeInfo("unmeasured", {}, why)],
  evidence: []
})

/**
 * The judgement if the data end before the time that was needed.
 */
export const behind = (until: number, neededUntil: number): Judgement => ({
  verdict: "no_data",
  findings: [causeInfo("metrics_behind", { until, neededUntil })],
  evidence: []
})

/**
 * Judges a release by a gate.
 *
 * *Details*: `watched` is how long it has been watched: health and response time can fail it only after the grace
 * period, errors always can, and so can a release without a single healthy instance. `samples: "required"` needs
 * `minSamples` requests (a canary); `"if_any"` judges by health alone if there were too few, and says so in the
 * evidence. `timed: false` says that the source measures no response times: they are not judged. `alarms:
 * false` leaves the alarms of the gate out.
 */
export const judge = (
  gate: GateSpec,
  measured: Measured,
  options: {
    readonly watched: Duration.Duration
    readonly samples: "required" | "if_any"
    readonly timed?: boolean
    readonly alarms?: boolean
  }
): Judgement => {
  const inGrace = Duration.isLessThan(options.watched, gate.gracePeriod)
  const samples = judgeSamples(gate, measured)
  const enough = samples.verdict === "pass" && (measured.requests > 0 || options.samples === "required")
  const judged = [
    judgeHealth(gate, measured, inGrace),
    judgeErrors(gate, measured),
    ...(enough && options.timed !== false ? [judgeLatency(gate, measured, inGrace)] : []),
    ...(options.alarms === false ? [] : judgeAlarms(gate, measured))
  ]
  const evidence = [...judged, samples]
  const counted = options.samples === "required" ? evidence : judged
  const verdict = combine(counted.map((item) => item.verdict))
  return { verdict, evidence, findings: explain(verdict, counted, evidence) }
}

const explain = (
  verdict: VerdictKind,
  counted: ReadonlyArray<Evidence>,
  evidence: ReadonlyArray<Evidence>
): ReadonlyArray<CauseInfo> => {
  const shown = verdict === "pass" ? evidence : counted.filter((item) => item.verdict === verdict)
  // No errors among no requests say nothing.
  return shown.filter(({ metric, n }) => metric !== "errors" || n > 0).map((item) => item.finding)
}

const judgeHealth = (gate: GateSpec, { healthUnit: unit, healthy }: Measured, inGrace: boolean): Evidence => {
  const common = {
    metric: "healthy",
    value: healthy,
    threshold: gate.minHealthyPercentage,
    unit: "percent",
    n: 1
  } as const
  if (healthy === null) {
    return { ...common, n: 0, verdict: "no_data", finding: causeInfo("health_unknown", {}) }
  }
  if (healthy >= gate.minHealthyPercentage) {
    return { ...common, verdict: "pass", finding: causeInfo("health", { percent: healthy, unit }) }
  }
  // Staging waited until it was ready. A release that has no healthy instance left is not starting, it is gone.
  const excused = inGrace && healthy > 0
  return {
    ...common,
    verdict: excused ? "inconclusive" : "fail",
    finding: causeInfo("health_low", { percent: healthy, needed: gate.minHealthyPercentage, inGrace: excused, unit })
  }
}

const judgeErrors = (gate: GateSpec, { errors, requests }: Measured): Evidence => {
  const exceeded = errors > gate.maxErrorCount
  return {
    metric: "errors",
    verdict: exceeded ? "fail" : "pass",
    value: errors,
    threshold: gate.maxErrorCount,
    unit: "errors",
    n: requests,
    finding: exceeded
      ? causeInfo("errors_exceeded", {
          errors,
          requests,
          windowMs: Duration.toMillis(gate.errorWindow),
          allowed: gate.maxErrorCount
        })
      : causeInfo("errors", { errors, requests })
  }
}

const judgeLatency = (gate: GateSpec, { latency, requests }: Measured, inGrace: boolean): Evidence => {
  const threshold = Duration.toMillis(gate.maxResponseTime)
  const common = { metric: "response_time", threshold, unit: "ms", n: requests } as const
  if (latency === null) {
    return { ...common, value: null, n: 0, verdict: "no_data", finding: causeInfo("response_time_unknown", {}) }
  }
  const value = latency[gate.responseTime]
  const measured = { statistic: gate.responseTime, ms: value }
  if (value <= threshold) return { ...common, value, verdict: "pass", finding: causeInfo("response_time", measured) }
  return {
    ...common,
    value,
    verdict: inGrace ? "inconclusive" : "fail",
    finding: causeInfo("response_time_exceeded", { ...measured, allowed: threshold, inGrace })
  }
}

const judgeAlarms = ({ alarms: names = [] }: GateSpec, { alarms: states = {} }: Measured): ReadonlyArray<Evidence> => {
  if (names.length === 0) return []
  const ringing = names.filter((name) => states[name] === "alarm")
  const unknown = names.filter((name) => states[name] !== "alarm" && states[name] !== "ok")
  const common = {
    metric: "alarms",
    value: ringing.length,
    threshold: 0,
    unit: "alarms",
    n: names.length - unknown.length
  } as const
  if (ringing.length > 0) {
    return [{ ...common, verdict: "fail", finding: causeInfo("alarms_ringing", { alarms: ringing }) }]
  }
  return unknown.length > 0
    ? [{ ...common, verdict: "no_data", finding: causeInfo("alarms_unknown", { alarms: unknown }) }]
    : [{ ...common, verdict: "pass", finding: causeInfo("alarms_quiet", { alarms: names }) }]
}

const judgeSamples = (gate: GateSpec, { requests }: Measured): Evidence => {
  const common = {
    metric: "samples",
    value: requests,
    threshold: gate.minSamples,
    unit: "requests",
    n: requests
  } as const
  if (requests >= gate.minSamples) return { ...common, verdict: "pass", finding: causeInfo("requests", { requests }) }
  return requests === 0
    ? { ...common, verdict: "no_data", finding: causeInfo("requests_none", {}) }
    : {
        ...common,
        verdict: "inconclusive",
        finding: causeInfo("requests_few", { requests, needed: gate.minSamples })
      }
}
