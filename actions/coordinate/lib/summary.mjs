/**
 * The page of a step in the summary of the run.
 */

/** @typedef {import("./answer.mjs").Answer} Answer */
/** @typedef {import("./outcome.mjs").Outcome} Outcome */

/** @type {Readonly<Record<Outcome, string>>} */
const signs = {
  success: "✅",
  waiting: "⏳",
  "rolled-back": "↩️",
  failed: "❌",
  unhealthy: "❌",
  undecided: "⏸️",
  skipped: "➖",
  timeout: "⌛",
  cancelled: "🚫"
}

/** One cell: no text can end its row, or become markup. @param {unknown} value */
const cell = (value) =>
  value === undefined || value === null || value === ""
    ? "–"
    : String(value)
        .replaceAll(/\s+/g, " ")
        .replaceAll("&", "&amp;")
        .replaceAll("<", "&lt;")
        .replaceAll(/([|`*_[\]\\])/g, "\\$1")

/** @param {ReadonlyArray<string>} titles @param {ReadonlyArray<ReadonlyArray<unknown>>} rows */
const table = (titles, rows) =>
  rows.length === 0
    ? []
    : [
        `| ${titles.join(" | ")} |`,
        `|${titles.map(() => " --- |").join("")}`,
        ...rows.map((row) => `| ${row.map(cell).join(" | ")} |`),
        ""
      ]

/** @param {number} ms */
const span = (ms) => {
  const seconds = Math.round(ms / 1000)
  return seconds < 90 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
}

/** @param {string} text */
const code = (text) => `\`${text.replaceAll("`", "'")}\``

/** Only what can be a link becomes one. @param {unknown} url */
const link = (url) => (typeof url === "string" && /^https?:\/\/[^\s()<>|]+$/.test(url) ? `[console](${url})` : "")

/** @param {Answer} answer @returns {ReadonlyArray<string>} */
const stackRows = ({ stacks = [], verdicts = [] }) =>
  table(
    ["Stack", "Status", "Version", "Verdict", "Reason"],
    stacks.map((stack) => {
      const verdict = stack.verdict === undefined ? verdicts.findLast((one) => one.stack === stack.name) : stack
      return [
        stack.name,
        stack.status?.replaceAll("_", " "),
        stack.release?.version,
        verdict?.verdict?.replaceAll("_", " "),
        stack.error?.message ?? verdict?.reason
      ]
    })
  )

/** @param {Answer} answer @returns {ReadonlyArray<string>} */
const blockerRows = ({ blockers = [] }) => {
  const rows = blockers.map(({ clearsAt, consoleUrl, kind, message, override, since, who }) =>
    [kind?.replaceAll("_", " "), message, who, since, clearsAt?.point, override]
      .map(cell)
      .concat(link(consoleUrl) || "–")
  )
  return rows.length === 0
    ? []
    : [
        "| In the way | What | Who | Since | Clears | Override | |",
        `|${" --- |".repeat(7)}`,
        ...rows.map((row) => `| ${row.join(" | ")} |`),
        ""
      ]
}

/**
 * @param {object} step
 * @param {string} step.command
 * @param {Outcome} step.outcome
 * @param {Answer} step.answer
 * @param {string | undefined} step.cause
 * @param {string | undefined} step.next
 * @returns {string}
 */
export const page = ({ answer, cause, command, next, outcome }) => {
  const { correlationId, deploymentId, durationMs, environment, traceId, version } = answer
  const about = [deploymentId, environment, version].filter((part) => part !== undefined && part !== null)
  const took = typeof durationMs === "number" ? ` in ${span(durationMs)}` : ""
  return [
    `### ${signs[outcome]} ${[command, ...about].map(cell).join(" ")}: ${outcome.replace("-", " ")}${took}`,
    "",
    ...(cause === undefined || outcome === "success" ? [] : [cell(cause), ""]),
    ...(answer.degraded === true ? [`⚠️ degraded: ${cell(answer.degradedReason)}`, ""] : []),
    ...stackRows(answer),
    ...blockerRows(answer),
    ...(next === undefined ? [] : [`Next: ${code(next)}`, ""]),
    ...(correlationId === undefined
      ? []
      : [`Execution ${code(correlationId)}${traceId === undefined ? "" : ` · trace ${code(traceId)}`}`, ""])
  ].join("\n")
}
