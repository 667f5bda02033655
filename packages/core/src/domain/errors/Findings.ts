/** Findings: what a gate measured, behind a verdict. */
import { cause } from "./Registry.ts"

const counts = {
  candidateRequests: "number",
  candidateErrors: "number",
  stableRequests: "number",
  stableErrors: "number",
  ratio: "number?"
} as const

const shift = {
  shiftMs: "number",
  lowMs: "number",
  highMs: "number",
  confidence: "number",
  effect: "number"
} as const

const allowance = { allowedMs: "number", tolerance: "number", medianMs: "number" } as const

export const findings = {
  unmeasured: cause({}, "The measurement failed; the detail says why."),
  metrics_behind: cause(
    { until: "time", neededUntil: "time" },
    "The metric source's data are not complete up to the time that a decision needs."
  ),
  health_unknown: cause({}, "No instance reported its health."),
  health: cause({ percent: "number", unit: "text?" }, "The share of healthy instances, or that the release is ready."),
  health_low: cause(
    { percent: "number", needed: "number", inGrace: "boolean", unit: "text?" },
    "Too few instances are healthy, or the release is not ready; during the grace period it does not count yet."
  ),
  errors: cause({ errors: "number", requests: "number" }, "The number of errors."),
  errors_exceeded: cause(
    { errors: "number", requests: "number", windowMs: "ms", allowed: "number" },
    "More errors than allowed."
  ),
  response_time_unknown: cause({}, "No response time was measured."),
  response_time: cause({ statistic: "text", ms: "number" }, "The response time."),
  response_time_exceeded: cause(
    { statistic: "text", ms: "number", allowed: "number", inGrace: "boolean" },
    "Slower than allowed; during the grace period it does not count yet."
  ),
  requests_none: cause({}, "No request was seen."),
  requests: cause({ requests: "number" }, "The number of requests."),
  requests_few: cause({ requests: "number", needed: "number" }, "Fewer requests than needed."),
  alarms_quiet: cause({ alarms: "texts" }, "No alarm rings."),
  alarms_ringing: cause({ alarms: "texts" }, "Alarms ring."),
  alarms_unknown: cause({ alarms: "texts" }, "Alarms have too little data to tell."),
  compared_silent: cause({ silent: "text" }, "One of the releases had no request."),
  compared_few: cause({ ...counts, least: "number", needed: "number" }, "Too few requests to compare."),
  compared_worse: cause(
    { ...counts, atLeast: "number", confidence: "number", allowed: "number" },
    "The candidate's error rate is too high, compared with the stable release."
  ),
  compared_doubtful: cause({ ...counts, evidence: "number", needed: "number" }, "Worse, which may be chance."),
  compared_small: cause({ ...counts, counts: "number" }, "Worse, but by less than what counts."),
  compared_apart: cause(
    { ...counts, evidence: "number", needed: "number" },
    "Too few errors to tell the releases apart."
  ),
  compared: cause(counts, "The error rates of both releases."),
  shift_unmeasurable: cause({}, "The provider gives no single response times."),
  shift_silent: cause({ silent: "text" }, "No response time of one of the releases was measured."),
  shift_few: cause({ least: "number", needed: "number" }, "Too few response times to compare."),
  shift: cause(shift, "How much slower or faster the candidate is."),
  shift_slower: cause({ ...shift, ...allowance }, "The candidate is too slow, compared with the stable release."),
  shift_doubtful: cause({ ...shift, ...allowance }, "Slower, which may be chance."),
  not_compared: cause({ why: "text", provider: "text?" }, "There is nothing to compare with."),
  not_comparable: cause({}, "The comparison could not be measured; the detail says why."),
  promoted: cause({ by: "text" }, "An operator promoted the release.")
} as const
