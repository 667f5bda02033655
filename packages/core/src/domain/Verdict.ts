/**
 * Verdicts: five, never collapsed into two, each with its evidence.
 */
import * as Schema from "effect/Schema"
import { CauseInfo } from "./errors/index.ts"
import { Percent, StackName, Timestamp } from "./Ids.ts"

/**
 * `pass` and `fail` are judgements; `inconclusive` is data that does not decide and needs a person; `no_data` is
 * silence, never a pass; `error` is a measurement that failed.
 */
export const VerdictKind = Schema.Literals(["pass", "fail", "inconclusive", "no_data", "error"])
export type VerdictKind = typeof VerdictKind.Type

/**
 * One comparison behind a verdict.
 *
 * *Details*: `value` against `threshold` in `unit`, over `n` observations; `interval` is a confidence interval of
 * `value` and `effect` an effect size, both only from a statistical test: percentage points between the error rates
 * (`error_rate_ratio`), the probability that the candidate is the slower one (`latency_shift`).
 */
export const Evidence = Schema.Struct({
  metric: Schema.Literals([
    "healthy",
    "errors",
    "response_time",
    "samples",
    "error_rate_ratio",
    "latency_shift",
    "alarms"
  ]),
  verdict: VerdictKind,
  value: Schema.NullOr(Schema.Finite),
  threshold: Schema.Finite,
  unit: Schema.Literals(["percent", "errors", "ms", "requests", "ratio", "alarms"]),
  n: Schema.Int,
  interval: Schema.optionalKey(Schema.Tuple([Schema.Finite, Schema.Finite])),
  effect: Schema.optionalKey(Schema.Finite),
  finding: CauseInfo
})
export type Evidence = typeof Evidence.Type

/** Requests, and how many of them failed. */
export const RequestCount = Schema.Struct({ requests: Schema.Int, errors: Schema.Int })
export type RequestCount = typeof RequestCount.Type

/** The state of an alarm; `insufficient_data` if it cannot tell. */
export const AlarmState = Schema.Literals(["ok", "alarm", "insufficient_data"])
export type AlarmState = typeof AlarmState.Type

/** What is counted as healthy: the instances of a release, or the release as a whole. */
export const HealthUnit = Schema.Literals(["instance", "release"])
export type HealthUnit = typeof HealthUnit.Type

/**
 * The measurements of one release. Latencies in milliseconds, `healthy` in percent of `healthUnit` (default
 * `instance`); null if nothing was measured. `until` is the time up to which the data were complete, if the source's are
 * late; `alarms` are the states of the gate's alarms.
 */
export const Measured = Schema.Struct({
  ...RequestCount.fields,
  latency: Schema.NullOr(Schema.Struct({ mean: Schema.Finite, p95: Schema.Finite })),
  healthy: Schema.NullOr(Schema.Finite),
  healthUnit: Schema.optionalKey(HealthUnit),
  until: Schema.optionalKey(Timestamp),
  alarms: Schema.optionalKey(Schema.Record(Schema.String, AlarmState))
})
export type Measured = typeof Measured.Type

/**
 * Response times of both releases, in milliseconds, at most 2,000 of each; null if the provider reports no single ones.
 */
export const ComparedLatencies = Schema.Struct({
  candidate: Schema.NullOr(Schema.Array(Schema.Finite)),
  stable: Schema.NullOr(Schema.Array(Schema.Finite))
})
export type ComparedLatencies = typeof ComparedLatencies.Type

/**
 * Counts of the candidate and the stable release from `since`, when the step began, to the moment of the verdict.
 *
 * *Details*: `latencies` exist only for the one or two looks of a step that compared response times, and only in the
 * log, not in states.
 */
export const ComparedCounts = Schema.Struct({
  since: Timestamp,
  candidate: RequestCount,
  stable: RequestCount,
  latencies: Schema.optionalKey(ComparedLatencies)
})
export type ComparedCounts = typeof ComparedCounts.Type

/**
 * A judgement of one release by one gate, at one moment.
 *
 * *Details*: `step` names the step of the strategy, such as `canary 10%`; `findings` are the decisive ones. `measured`
 * and `compared` are what was judged, so that it can be judged again; verdicts of versions before them have neither.
 */
export const Verdict = Schema.Struct({
  stack: StackName,
  step: Schema.String,
  releaseId: Schema.String,
  verdict: VerdictKind,
  findings: Schema.Array(CauseInfo),
  evidence: Schema.Array(Evidence),
  weight: Percent,
  at: Timestamp,
  measured: Schema.optionalKey(Measured),
  compared: Schema.optionalKey(ComparedCounts)
})
export type Verdict = typeof Verdict.Type
