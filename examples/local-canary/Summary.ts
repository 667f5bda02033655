import type { Load } from "./Load.ts"

/**
 * What the demo measured, from outside: by the answers that its load got.
 *
 * `rollbackMs` is the time from the gate's minimum evidence (the answer that made it one error too many) to the last answer
 * of the candidate.
 */
export interface Summary {
  readonly requests: number
  readonly dropped: number
  readonly connectionErrors: number
  readonly errorsOfCandidate: number
  readonly errorsOfOthers: number
  readonly answersOfCandidate: number
  readonly rollbackMs: number | null
  readonly stableAgain: boolean
  readonly seconds: number
}

export const summarize = (
  { answers, sent }: Load,
  options: {
    readonly maxErrorCount: number
    readonly candidate: string
    readonly stable: string
    readonly seconds: number
  }
): Summary => {
  const ofCandidate = answers.filter(({ version }) => version === options.candidate)
  const failed = (status: number | undefined) => status !== undefined && status >= 500
  const errors = ofCandidate.filter(({ status }) => failed(status))
  const evidence = errors[options.maxErrorCount]
  const last = ofCandidate.at(-1)
  return {
    requests: sent,
    dropped: sent - answers.length,
    connectionErrors: answers.filter(({ status }) => status === undefined).length,
    errorsOfCandidate: errors.length,
    errorsOfOthers: answers.filter(({ status, version }) => failed(status) && version !== options.candidate).length,
    answersOfCandidate: ofCandidate.length,
    rollbackMs: evidence === undefined || last === undefined ? null : last.at - evidence.at,
    stableAgain: answers.at(-1)?.version === options.stable,
    seconds: Math.round(options.seconds * 10) / 10
  }
}

export const tell = (
  summary: Summary,
  kept:
    | { readonly port: number; readonly work: string; readonly env: Readonly<Record<string, string | undefined>> }
    | undefined
): string => {
  const rows: ReadonlyArray<readonly [string, string]> = [
    ["requests sent", String(summary.requests)],
    ["dropped", String(summary.dropped)],
    ["connection errors", String(summary.connectionErrors)],
    ["error answers of v3 while it had traffic", `${summary.errorsOfCandidate} of ${summary.answersOfCandidate}`],
    ["error answers of v1 and v2", String(summary.errorsOfOthers)],
    ["from one error too many to no traffic on v3", summary.rollbackMs === null ? "–" : `${summary.rollbackMs} ms`],
    ["who answers now", summary.stableAgain ? "v2" : "not v2"],
    ["all in", `${summary.seconds} s`]
  ]
  const width = Math.max(...rows.map(([name]) => name.length))
  const next =
    kept === undefined
      ? [
          "Next: npm run demo -- --keep   leaves it running, to be looked at",
          "      npm run demo -- --json   the same as JSON",
          "      examples/local-canary    how it is configured"
        ]
      : [
          `Next: export SIGNALBOX_CONFIG=${kept.env["SIGNALBOX_CONFIG"]} SIGNALBOX_DIRECTORY=${kept.work} DEMO_PORT=${kept.port}`,
          "      npx signalbox status | history | events demo-v3 | health | rollback | destroy"
        ]
  return ["", ...rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`), "", ...next, ""].join("\n")
}
