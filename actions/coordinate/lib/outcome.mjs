/**
 * What an exit code means for a job. Waiting and undecided are not failures: another run, or a person, goes on. Nor is
 * skipped: there was nobody to ask.
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
 * What became of a step. A command that `run` runs has exit codes of its own: a `make` that ends with 2 waits for
 * nobody. Where it was started, its execution says how it ended; one that completed did not end with anything but 0.
 * @param {string} command @param {number} code @param {{ readonly status?: string, readonly startedAt?: string | null }} answer
 * @returns {Outcome}
 */
export const outcomeOf = (command, code, answer) => {
  if (command === "run" && mayHaveRun(answer)) {
    const otherwise = code === 0 ? "success" : "failed"
    return answer.status === "completed" ? otherwise : (byStatus[answer.status ?? ""] ?? otherwise)
  }
  // Nobody can be asked: neither healthy nor not.
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

/** How an execution is said to have ended, from the outcome of a step or the status of a job. @param {string} text */
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
