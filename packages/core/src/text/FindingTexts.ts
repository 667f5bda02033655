import type { findings } from "../domain/errors/Findings.ts"
import type { ParamsOf } from "../domain/errors/index.ts"
import { because, count, moment, span, type Texts } from "./words.ts"

const tenth = (value: number): string => String(Math.round(value * 10) / 10)

const round = (value: number): string =>
  String(Math.abs(value) < 10 ? Math.round(value * 100) / 100 : Math.round(value))

const percent = (share: number): string => `${Math.round(share * 10_000) / 100} %`

const rate = (errors: number, requests: number): string =>
  `${errors === 0 ? "no" : errors} error${errors === 1 ? "" : "s"} in ${count(requests, "request")}`

const rates = (counts: ParamsOf<"compared">): string => {
  const { candidateErrors, candidateRequests, ratio, stableErrors, stableRequests } = counts
  const both = `${rate(candidateErrors, candidateRequests)}, against ${rate(stableErrors, stableRequests)} of the stable release`
  return ratio === undefined ? both : `${both}: ${round(ratio)} times its error rate`
}

const shifted = ({ confidence, effect, highMs, lowMs, shiftMs }: ParamsOf<"shift">): string => {
  const between = shiftMs < 0 ? `${round(-highMs)} to ${round(-lowMs)}` : `${round(lowMs)} to ${round(highMs)}`
  return `responses ${round(Math.abs(shiftMs))} ms ${shiftMs < 0 ? "faster" : "slower"} than the stable release's (${percent(confidence)} interval ${between} ms, effect ${round(effect)})`
}

const allowance = ({ allowedMs, medianMs, tolerance }: ParamsOf<"shift_slower">): string =>
  `${round(allowedMs)} ms slower allowed (${percent(tolerance)} of ${round(medianMs)} ms)`

const later = (inGrace: boolean): string => (inGrace ? " once the grace period is over" : "")

const ready = (is: boolean): string => (is ? "the release is ready" : "the release is not ready")

const reasons: Readonly<Record<string, string>> = {
  no_traffic: "it has no traffic any more"
}

export const findingTexts: Texts<keyof typeof findings> = {
  unmeasured: (_, why) => `could not be measured${because(why)}`,
  metrics_behind: ({ neededUntil, until }) =>
    `the measurements are complete only up to ${moment(until)}, and are needed up to ${moment(neededUntil)}`,
  health_unknown: () => "no instance reported its health",
  health: ({ percent, unit }) => (unit === "release" ? ready(percent > 0) : `${tenth(percent)} % of instances healthy`),
  health_low: ({ inGrace, needed, percent, unit }) =>
    unit === "release"
      ? `${ready(false)}${later(inGrace)}`
      : `${tenth(percent)} % of instances healthy, ${needed} % needed${later(inGrace)}`,
  errors: ({ errors, requests }) => `${count(errors, "error")} in ${count(requests, "request")}`,
  errors_exceeded: ({ allowed, errors, requests, windowMs }) =>
    `${count(errors, "error")} in ${count(requests, "request")} within ${span(windowMs)}, at most ${allowed} allowed`,
  response_time_unknown: () => "no response time was measured",
  response_time: ({ ms, statistic }) => `${statistic} response time ${tenth(ms)} ms`,
  response_time_exceeded: ({ allowed, inGrace, ms, statistic }) =>
    `${statistic} response time ${tenth(ms)} ms, at most ${allowed} ms allowed${later(inGrace)}`,
  requests_none: () => "no request was seen",
  requests: ({ requests }) => `n = ${requests}`,
  requests_few: ({ needed, requests }) => `only ${count(requests, "request")} of the ${needed} needed`,
  alarms_quiet: ({ alarms }) => `${count(alarms.length, "alarm")} quiet`,
  alarms_ringing: ({ alarms }) =>
    `${alarms.length === 1 ? "the alarm is firing" : "alarms are firing"}: ${alarms.join(", ")}`,
  alarms_unknown: ({ alarms }) =>
    `${alarms.length === 1 ? "the alarm has" : "alarms have"} too little data: ${alarms.join(", ")}`,
  compared_silent: ({ silent }) =>
    `${silent === "stable" ? "the stable release" : "the candidate"} had no request: its errors cannot be compared`,
  compared_few: (params) =>
    `${rates(params)}; only ${params.least} of the ${params.needed} requests of each release needed to compare`,
  compared_worse: (params) =>
    `${rates(params)}, at least ${round(params.atLeast)} times with ${percent(params.confidence)} confidence, ${round(params.allowed)} allowed`,
  compared_doubtful: (params) =>
    `${rates(params)}, which may be chance (evidence ${round(params.evidence)}, fails at ${round(params.needed)})`,
  compared_small: (params) => `${rates(params)}, below the ratio of ${round(params.counts)} that counts`,
  compared_apart: (params) =>
    `${rates(params)}: too few to tell them apart (evidence ${round(params.evidence)}, fails at ${round(params.needed)})`,
  compared: rates,
  shift_unmeasurable: () => "the metric source has no individual response times to compare",
  shift_silent: ({ silent }) =>
    `no response time of the ${silent === "stable" ? "stable release" : "candidate"} was measured: there is nothing to compare`,
  shift_few: ({ least, needed }) => `only ${least} of the ${needed} response times of each release needed to compare`,
  shift: shifted,
  shift_slower: (params) => `${shifted(params)}, ${allowance(params)}`,
  shift_doubtful: (params) => `${shifted(params)}, which may be chance, ${allowance(params)}`,
  not_compared: ({ provider, why }) =>
    `not compared with the stable release: ${why === "no_metrics" ? `${provider} measures no requests` : (reasons[why] ?? why)}`,
  not_comparable: (_, why) => `could not be compared with the stable release${because(why)}`,
  promoted: ({ by }) => `promoted by ${by}`
}
