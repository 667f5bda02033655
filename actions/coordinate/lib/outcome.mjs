/**
 * The meaning of an exit code for a job. Waiting and undecided are not failures: another run, or a person, continues.
 * Neither is skipped: there was no provider to ask.
 */

/** @typedef {"success" | "waiting" | "rolled-back" | "failed" | "unhealthy" | "undecided" | "timeout" | "skipped" | "cancelled"} Outcome */

/** @type {Readonly<Record<number, Outcome>>} */
const byCode = {
  0: "success",
  2: "waiting",
  3: "rolled-back",
  5: "unhealthy",
  7: "undecided",
  124: "timeout",
  130: "cancelled",
  143: "cancelled"
}

/** @type {Readonly<Record<string, Outcome>>} */
const byStatus = {
  completed: "success",
  failed: "failed",
  rolled_back: "rolled-back",
  cancelled: "cancelled",
  paused: "undecided",
  queued: "waiting"
}

/** Whether a command came to run, as far as is known. @param {{ readonly status?: string, readonly startedAt?: string | null }} answer */
export const mayHaveRun = ({ startedAt, status }) => status === "unknown" || (status !== undefined && startedAt != null)

/**
 * The result of a step. The command of `run` has its own exit codes: a `make` that ends with 2 is not waiting. If it
 * was started, its execution says how it ended; a completed one ended with 0.
 * @param {string} command @param {number} code @param {{ readonly status?: string, readonly startedAt?: string | null }} answer
 * @returns {Outcome}
 */
export const outcomeOf = (command, code, answer) => {
  if (command === "run" && mayHaveRun(answer)) {
    const otherwise = code === 0 ? "success" : "failed"
    return answer.status === "completed" ? otherwise : (byStatus[answer.status ?? ""] ?? otherwise)
  }
  // There is no provider to ask: neither healthy nor unhealthy.
  if (command === "verify" && code === 7) return "skipped"
  return byCode[code] ?? "failed"
}

/** Whether the step fails. @param {Outcome} outcome */
export const fails = (outcome) => !["success", "waiting", "undecided", "skipped"].includes(outcome)

/** @typedef {"succeeded" | "failed" | "cancelled"} Ending */

/** @type {Readonly<Record<string, Ending>>} */
const endings = {
  succeeded: "succeeded",
  success: "succeeded",
  failed: "failed",
  failure: "failed",
  "rolled-back": "failed",
  unhealthy: "failed",
  cancelled: "cancelled",
  waiting: "cancelled",
  timeout: "cancelled"
}

/** The reported end of an execution, from the outcome of a step or the status of a job. @param {string} text */
export const endingOf = (text) => endings[text]

/**
 * What the end of a job does with the execution of one of its steps: how it ended, or why it is left alone.
 * @param {{ readonly command: string, readonly outcome: string, readonly jobStatus: string }} step
 * @returns {{ readonly ending: Ending } | { readonly leave: string }}
 */
export const atTheEnd = ({ command, jobStatus, outcome }) => {
  if (outcome === "undecided") return { leave: "it waits for a person to decide" }
  if (command === "register" || command === "wait") {
    return jobStatus === "success"
      ? { leave: "the steps and jobs that go on with it clean up" }
      : { ending: jobStatus === "cancelled" ? "cancelled" : "failed" }
  }
  // No outcome: the step was cut before it could write one.
  return { ending: endingOf(outcome) ?? (jobStatus === "failure" ? "failed" : "cancelled") }
}
