/**
 * Verdicts: five, never collapsed into two, each with its evidence.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Percent, StackName, Timestamp } from "./Ids.ts"

/**
 * `pass` and `fail` are judgements; `inconclusive` is data that decides nothing and needs a person; `no_data` is silence,
 * never a pass; `error` is a measurement that could not be made.
 *
 * @since 0.1.0
 */
export const VerdictKind = Schema.Literals(["pass", "fail", "inconclusive", "no_data", "error"])
/** @since 0.1.0 */
export type VerdictKind = typeof VerdictKind.Type

/**
 * One comparison behind a verdict.
 *
 * *Details*: `value` against `threshold` in `unit`, over `n` observations; `interval` is a confidence interval of `value`
 * and `effect` an effect size, both only where a statistical test made them.
 *
 * @since 0.1.0
 */
export const Evidence = Schema.Struct({
  metric: Schema.Literals(["healthy", "errors", "response_time", "samples", "error_rate_ratio", "latency_shift"]),
  verdict: VerdictKind,
  value: Schema.NullOr(Schema.Finite),
  threshold: Schema.Finite,
  unit: Schema.Literals(["percent", "errors", "ms", "requests", "ratio"]),
  n: Schema.Int,
  interval: Schema.optionalKey(Schema.Tuple([Schema.Finite, Schema.Finite])),
  effect: Schema.optionalKey(Schema.Finite),
  reason: Schema.String
})
/** @since 0.1.0 */
export type Evidence = typeof Evidence.Type

/**
 * A judgement of one release by one gate, at one moment.
 *
 * *Details*: `step` names the step of the strategy, such as `canary 10%`; `reason` is one readable sentence.
 *
 * @since 0.1.0
 */
export const Verdict = Schema.Struct({
  stack: StackName,
  step: Schema.String,
  releaseId: Schema.String,
  verdict: VerdictKind,
  reason: Schema.String,
  evidence: Schema.Array(Evidence),
  weight: Percent,
  at: Timestamp
})
/** @since 0.1.0 */
export type Verdict = typeof Verdict.Type
