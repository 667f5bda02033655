/**
 * One step: checks its inputs, runs signalbox, and reports the result in the runner's terms.
 */
import { randomBytes } from "node:crypto"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { addressOf, causeOf, complaintOf, lastObject } from "./answer.mjs"
import { argumentsOf, waiting } from "./arguments.mjs"
import { InputError, read } from "./inputs.mjs"
import { endingOf, fails, mayHaveRun, outcomeOf } from "./outcome.mjs"
import { execute, folderOf, locate, signalsOfProcess } from "./program.mjs"
import * as Runner from "./runner.mjs"
import { page } from "./summary.mjs"

/** @typedef {import("./answer.mjs").Answer} Answer */
/** @typedef {import("./answer.mjs").Complaint} Complaint */
/** @typedef {import("./inputs.mjs").Inputs} Inputs */
/** @typedef {import("./outcome.mjs").Outcome} Outcome */
/** @typedef {import("./program.mjs").Ran} Ran */
/** @typedef {import("./program.mjs").Signals} Signals */
/** @typedef {Runner.Env} Env */
/** Runs signalbox with these arguments. @typedef {(args: ReadonlyArray<string>, options?: { readonly show?: "both" | "stderr", readonly more?: Env, readonly onLine?: (line: string) => void }) => Promise<Ran>} Run */

/** All outputs of a job together may have 1 MiB. */
const resultLimit = 200_000
/** Commands that take a place or a lease, which the end of the job gives back. */
const owning = new Set(["register", "wait", "deploy", "run", "rollback"])
/** Commands that start an execution; its id has to be known before they do, for a job can be cancelled at any time. */
const starting = new Set(["register", "deploy", "run", "rollback"])

/** Commands whose success is worth a line of the log, and no page of the summary. */
const onTheWay = new Set(["can-deploy", "register", "wait", "cleanup"])

/** @param {Env} env */
const drawn = (env) =>
  `gha-${env["GITHUB_RUN_ID"] ?? "0"}-${env["GITHUB_RUN_ATTEMPT"] ?? "1"}-${randomBytes(4).toString("hex")}`

/** The password within an address is not the secret as a whole, so the runner does not know it. @param {Env} env */
const maskPasswords = (env) => {
  for (const name of ["SIGNALBOX_DATABASE_URL", "DATABASE_URL"]) {
    const [, password] = /^\w+:\/\/[^:/@]*:([^@]+)@/.exec(env[name] ?? "") ?? []
    if (password !== undefined) Runner.mask(password)
  }
}

/** Reports the new lines of a stream. */
const progress = () => {
  let last = ""
  /** @param {string} line */
  return (line) => {
    const item = lastObject(line)
    if (item === undefined) return
    const { message, status } = /** @type {Answer & { readonly message?: string }} */ (item)
    const stacks = (item.stacks ?? []).map((stack) => `${stack.name} ${stack.status}`).join(", ")
    const cause = message ?? causeOf(item) ?? ""
    const now = [status?.replaceAll("_", " "), stacks, cause]
      .filter((part) => part !== undefined && part !== "")
      .join(" · ")
    if (now !== last && now !== "") Runner.say(now)
    last = now
  }
}

/** @param {Inputs} inputs @param {Env} env @param {Run} run @returns {Promise<{ readonly ran: Ran, readonly answer: Answer }>} */
const perform = async (inputs, env, run) => {
  const { command } = inputs
  const args = argumentsOf(inputs, env)
  const title = `signalbox ${args.join(" ").split("\n")[0]}`
  if (command === "deploy" || command === "rollback") {
    // The log is grouped here already.
    const ran = await Runner.quoted(title, () => run(args, { show: "both", more: { GITHUB_ACTIONS: "" } }))
    return { ran, answer: await afterwards(inputs, ran, run) }
  }
  if (command === "run") {
    // The command sees the environment of the job as it is.
    const ran = await Runner.quoted(title, () => run(args, { show: "both" }))
    return { ran, answer: await afterRun(inputs, ran, run) }
  }
  if (command === "monitor") return follow(title, inputs, args, env, run)
  const ran = command === "wait" ? await Runner.quoted(title, () => run(args, { onLine: progress() })) : await run(args)
  const answer = lastObject(ran.stdout) ?? {}
  if (command !== "can-deploy" || ran.code !== 2 || inputs.waitForTurn !== true) return { ran, answer }
  const turn = await Runner.quoted("wait", () => run(waiting(inputs), { onLine: progress() }))
  return { ran: turn, answer: turn.code === 0 ? { ...answer, blockers: [] } : answer }
}

/**
 * Follows an execution. Warnings in the meantime (a stall, a monitoring gap) become annotations.
 * @param {string} title @param {Inputs} inputs @param {ReadonlyArray<string>} args @param {Env} env @param {Run} run
 */
const follow = async (title, inputs, args, env, run) => {
  const folder = mkdtempSync(join(env["RUNNER_TEMP"] ?? tmpdir(), "signalbox-monitor-"))
  const file = join(folder, "events.ndjson")
  const more = { GITHUB_ACTIONS: "" }
  const ran = await Runner.quoted(title, () => run([...args, "--log-file", file], { show: "both", more }))
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : []
  rmSync(folder, { recursive: true, force: true })
  for (const line of lines) {
    const { level, message } = /** @type {{ readonly level?: string, readonly message?: string }} */ (
      lastObject(line) ?? {}
    )
    if (level === "warn" && message !== undefined) Runner.warning(`signalbox monitor ${inputs.correlationId}`, message)
  }
  return { ran, answer: await afterwards(inputs, ran, run) }
}

/**
 * The result of an execution, from the log; if it was never admitted, its blockers.
 * @param {Inputs} inputs @param {Ran} ran @param {Run} run @returns {Promise<Answer>}
 */
const afterwards = async (inputs, ran, run) => {
  const known = { correlationId: inputs.correlationId }
  if ([4, 64, 130, 143].includes(ran.code)) return known
  if (ran.code === 2 && inputs.command !== "monitor") return inTheWay(inputs, run)
  const asked = await run(["status", inputs.correlationId, "--json"])
  return { ...known, ...(asked.code === 0 ? lastObject(asked.stdout) : {}) }
}

/** The blockers of a rejected request. @param {Inputs} inputs @param {Run} run @returns {Promise<Answer>} */
const inTheWay = async (inputs, run) => {
  const { command, correlationId } = inputs
  const kind = command === "run" || command === "rollback" ? command : inputs.kind
  const blocked = await run(argumentsOf({ ...inputs, command: "can-deploy", kind }, {}))
  return { ...lastObject(blocked.stdout), correlationId }
}

/**
 * The same for a command, whose exit code may be any: only the log tells whether it ran.
 * @param {Inputs} inputs @param {Ran} ran @param {Run} run @returns {Promise<Answer>}
 */
const afterRun = async (inputs, ran, run) => {
  const known = { correlationId: inputs.correlationId }
  const asked = await run(["status", inputs.correlationId, "--json"])
  if (asked.code === 0) return { ...known, ...lastObject(asked.stdout) }
  if (asked.code !== 4) return { ...known, status: "unknown" }
  return ran.code === 2 ? inTheWay(inputs, run) : known
}

/**
 * Signalbox's own error; undefined if it may be output of the command.
 * @param {Inputs["command"]} command @param {Ran} ran @param {Answer} answer
 */
const complaintAbout = (command, { code, stderr }, answer) => {
  if (code === 0 || (command === "run" && mayHaveRun(answer) && answer.status !== "completed")) return undefined
  return complaintOf(stderr)
}

/** @param {Outcome} outcome @param {Inputs} inputs @param {Complaint | undefined} complaint @returns {string | undefined} */
const nextOf = (outcome, { command, correlationId, deployment, environment }, complaint) => {
  const where = `${deployment === "" ? "" : ` ${deployment}`}${environment === "" ? "" : ` --environment ${environment}`}`
  if (outcome === "waiting") return `signalbox can-deploy${where} --explain`
  if (outcome === "undecided" && correlationId !== "") return `signalbox approve ${correlationId}`
  if (outcome === "cancelled" && (command === "deploy" || command === "rollback"))
    return `signalbox attach ${correlationId}`
  if (outcome === "unhealthy") return `signalbox status${where}`
  if (fails(outcome) && complaint === undefined && correlationId !== "" && command !== "cleanup") {
    return `signalbox status ${correlationId}`
  }
  return undefined
}

/** @param {string} title @param {Outcome} outcome @param {string} message */
const annotate = (title, outcome, message) => {
  if (outcome === "success") return
  const levels = {
    waiting: Runner.notice,
    skipped: Runner.notice,
    undecided: Runner.warning,
    cancelled: Runner.warning
  }
  const say = outcome in levels ? levels[/** @type {keyof typeof levels} */ (outcome)] : Runner.error
  say(title, message)
}

/** @param {Inputs} inputs @param {Env} env @param {Signals} signals @returns {Promise<number>} */
const step = async (inputs, env, signals) => {
  const program = await locate(inputs, env, signals)
  const { command, correlationId } = inputs
  Runner.keep(env, "owns", String(owning.has(command) && correlationId !== ""))
  Runner.keep(env, "command", command)
  Runner.keep(env, "correlation_id", correlationId)
  Runner.keep(env, "program", JSON.stringify(program))
  if (correlationId !== "") Runner.output(env, "correlation-id", correlationId)

  const cwd = folderOf(env, inputs.workingDirectory)
  const { answer, ran } = await perform(inputs, env, (args, options) =>
    execute(program, args, { cwd, env, signals, ...options })
  )
  const complaint = complaintAbout(command, ran, answer)
  const outcome =
    signals.first() === undefined ? outcomeOf(command, ran.code, answer) : /** @type {const} */ ("cancelled")
  Runner.keep(env, "outcome", outcome)
  report(inputs, env, { answer, code: ran.code, complaint, outcome })
  return fails(outcome) ? ran.code || 1 : 0
}

/** @param {Outcome} outcome @param {number} code */
const otherwise = (outcome, code) => {
  if (outcome === "success") return undefined
  return outcome === "cancelled" ? "it was stopped before it had ended" : `ended with ${code}`
}

/** @param {Inputs} inputs @param {Env} env @param {{ readonly answer: Answer, readonly code: number, readonly complaint: Complaint | undefined, readonly outcome: Outcome }} end */
const report = (inputs, env, { answer, code, complaint, outcome }) => {
  const { command, correlationId } = inputs
  const outputs = {
    outcome,
    "exit-code": String(code),
    "correlation-id": correlationId === "" ? answer.correlationId : correlationId,
    deployment: answer.deploymentId ?? inputs.deployment,
    status: answer.status,
    "trace-id": answer.traceId,
    url: addressOf(answer),
    result: JSON.stringify(answer).slice(0, resultLimit + 1)
  }
  for (const [name, value] of Object.entries(outputs)) {
    // An incomplete result counts as none.
    if (typeof value === "string" && value !== "" && value.length <= resultLimit) Runner.output(env, name, value)
  }
  const cause = complaint?.message ?? causeOf(answer) ?? otherwise(outcome, code)
  const next = nextOf(outcome, inputs, complaint)
  const about = [command, answer.deploymentId ?? inputs.deployment, answer.environment ?? inputs.environment]
  const title = `signalbox ${about.filter((part) => part !== "").join(" ")}: ${outcome.replace("-", " ")}`
  const hint = complaint?.hint ?? (next === undefined ? undefined : `Next: ${next}`)
  annotate(title, outcome, [cause, hint].filter((line) => line !== undefined).join("\n"))
  if (answer.degraded === true)
    Runner.warning(`${title}, degraded`, answer.degradedReason ?? "the store is unreachable")
  if (outcome !== "success" || !onTheWay.has(command)) {
    Runner.summarize(env, page({ command, outcome, answer, cause, next }))
  }
  Runner.say(`${title}${outputs.url === undefined ? "" : ` ${outputs.url}`}`)
}

/** The inputs of a step, with defaults from the run. @param {Env} env @returns {Inputs} */
export const stepOf = (env) => {
  const inputs = read(env)
  if (inputs.command === "cleanup") {
    const status = inputs.status === "" ? inputs.jobStatus : inputs.status
    const ending = endingOf(status)
    if (ending === undefined && status !== "") {
      throw new InputError(`status: ${JSON.stringify(status)} is not known`, "Give succeeded, failed or cancelled.")
    }
    return { ...inputs, status: ending ?? "cancelled" }
  }
  return starting.has(inputs.command) && inputs.correlationId === "" ? { ...inputs, correlationId: drawn(env) } : inputs
}

/** Runs the step; gives the exit code of the action. @param {Env} env @returns {Promise<number>} */
export const coordinate = async (env) => {
  const signals = signalsOfProcess()
  maskPasswords(env)
  try {
    return await step(stepOf(env), env, signals)
  } catch (error) {
    if (!(error instanceof InputError)) throw error
    Runner.error(`signalbox ${env["INPUT_COMMAND"] ?? ""}: cannot start`, `${error.message}\n${error.hint}`)
    Runner.output(env, "outcome", "failed")
    Runner.output(env, "exit-code", "64")
    return 64
  }
}
