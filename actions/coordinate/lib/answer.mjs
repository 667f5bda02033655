/**
 * Signalbox's answer, read leniently: only displayed fields are used, and any may be missing.
 */

/** @typedef {{ readonly code?: string, readonly message: string, readonly hint?: string }} Complaint */
/** @typedef {{ readonly name?: string, readonly status?: string, readonly verdict?: string, readonly reason?: string, readonly release?: { readonly version?: string } | null, readonly outputs?: Readonly<Record<string, unknown>>, readonly error?: Complaint | null }} Stack */
/** @typedef {{ readonly stack?: string, readonly step?: string, readonly verdict?: string, readonly reason?: string }} Verdict */
/** @typedef {{ readonly kind?: string, readonly message?: string, readonly who?: string | null, readonly since?: string | null, readonly clearsAt?: { readonly point?: string } | null, readonly consoleUrl?: string | null, readonly override?: string | null }} Blocker */
/**
 * @typedef {object} Answer
 * @property {string} [deploymentId]
 * @property {string} [correlationId]
 * @property {string} [traceId]
 * @property {string} [kind]
 * @property {string} [status]
 * @property {string} [environment]
 * @property {string | null} [version]
 * @property {string | null} [reason]
 * @property {string | null} [startedAt]
 * @property {number | null} [durationMs]
 * @property {number | null} [position]
 * @property {ReadonlyArray<Stack>} [stacks]
 * @property {ReadonlyArray<Verdict>} [verdicts]
 * @property {ReadonlyArray<{ readonly stack?: string, readonly question?: string }>} [questions]
 * @property {Complaint | null} [error]
 * @property {boolean} [degraded]
 * @property {string | null} [degradedReason]
 * @property {ReadonlyArray<Blocker>} [blockers]
 * @property {unknown} [released]
 * @property {string | null} [was]
 * @property {string | null} [now]
 */

/** @param {string} line @returns {Readonly<Record<string, unknown>> | undefined} */
const parse = (line) => {
  if (!line.startsWith("{")) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** The last object on a stream of lines. @param {string} text @returns {Answer | undefined} */
export const lastObject = (text) => {
  for (const line of text.trimEnd().split("\n").toReversed()) {
    const object = parse(line)
    if (object !== undefined) return /** @type {Answer} */ (object)
  }
  return undefined
}

/** @param {string} text @param {string} name */
const named = (text, name) => new RegExp(`^${name}: +(.*)$`, "m").exec(text)?.[1]

/** The error on standard error: an object with `--json`, else lines. @param {string} stderr @returns {Complaint | undefined} */
export const complaintOf = (stderr) => {
  for (const line of stderr.trimEnd().split("\n").toReversed()) {
    const error = parse(line)?.["error"]
    if (error !== undefined) return /** @type {Complaint} */ (error)
  }
  const message = named(stderr, "error")
  const hint = named(stderr, "hint")
  return message === undefined ? undefined : { message, ...(hint === undefined ? {} : { hint }) }
}

/** The first address among the outputs of the stacks. @param {Answer} answer */
export const addressOf = ({ stacks = [] }) =>
  stacks
    .flatMap(({ outputs = {} }) => Object.values(outputs))
    .find((value) => typeof value === "string" && /^https?:\/\//.test(value))

/** Why it is as it is, cause first; undefined where there is nothing to explain. @param {Answer} answer @returns {string | undefined} */
export const causeOf = ({ blockers = [], error, questions = [], reason, stacks = [], verdicts = [] }) => {
  if (error?.message !== undefined) return error.message
  const [blocker] = blockers
  if (blocker?.message !== undefined) {
    return `${blocker.message}${blockers.length > 1 ? ` (and ${blockers.length - 1} more)` : ""}`
  }
  const [question] = questions
  if (question?.question !== undefined) return `${question.stack ?? "signalbox"}: ${question.question}`
  const broken = stacks.find((stack) => stack.error != null)
  if (broken?.error != null) return `${broken.name}: ${broken.error.message}`
  const verdict = verdicts.findLast((one) => one.verdict === "fail" || one.verdict === "error")
  if (verdict !== undefined) return `${verdict.stack}: ${verdict.step}: ${verdict.reason}`
  const unwell = stacks.filter((stack) => stack.verdict !== undefined && stack.verdict !== "pass")
  if (unwell.length > 0) return unwell.map((stack) => `${stack.name}: ${stack.reason ?? stack.verdict}`).join("; ")
  return reason ?? undefined
}
