/**
 * The inputs of a step, checked before anything is called: `required` is not enforced by the runner.
 */

/** @typedef {import("./runner.mjs").Env} Env */
/** @typedef {(typeof commands)[number]} Command */
/** @typedef {ReturnType<typeof read>} Inputs */

export const commands = /** @type {const} */ ([
  "can-deploy",
  "register",
  "wait",
  "deploy",
  "run",
  "rollback",
  "monitor",
  "status",
  "verify",
  "cleanup"
])
const queues = ["fifo", "latest_wins", "reject"]

/** An input is wrong; nothing was called. */
export class InputError extends Error {
  /** @param {string} message @param {string} hint */
  constructor(message, hint) {
    super(message)
    this.hint = hint
  }
}

/** @param {Env} env @param {string} name */
const given = (env, name) => (env[`INPUT_${name.toUpperCase()}`] ?? "").trim()

/** @param {Env} env @param {string} name @param {ReadonlyArray<string>} allowed */
const oneOf = (env, name, allowed) => {
  const value = given(env, name)
  if (value === "" || allowed.includes(value)) return value
  throw new InputError(`${name}: ${JSON.stringify(value)} is not known`, `Give one of ${allowed.join(", ")}.`)
}

/** @param {Env} env @returns {Command} */
const commandOf = (env) => {
  const value = oneOf(env, "command", [...commands, "health"])
  if (value === "") throw new InputError("command: is missing", `Give one of ${commands.join(", ")}.`)
  return /** @type {Command} */ (value === "health" ? "verify" : value)
}

/** @param {Env} env */
export const read = (env) => {
  const command = commandOf(env)
  const flag = oneOf(env, "wait-for-turn", ["true", "false"])
  const inputs = {
    command,
    deployment: given(env, "deployment"),
    environment: given(env, "environment"),
    version: given(env, "version"),
    artifacts: given(env, "artifact")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
    kind: given(env, "kind"),
    correlationId: given(env, "correlation-id"),
    run: given(env, "run"),
    stacks: given(env, "stacks")
      .split(/[\s,]+/)
      .filter((name) => name !== ""),
    queue: oneOf(env, "queue", queues),
    waitForTurn: flag === "" ? undefined : flag === "true",
    timeout: given(env, "timeout"),
    hold: given(env, "hold"),
    interval: given(env, "interval"),
    stallAfter: given(env, "stall-after"),
    override: given(env, "override"),
    reason: given(env, "reason"),
    status: given(env, "status"),
    workingDirectory: given(env, "working-directory"),
    signalbox: given(env, "signalbox"),
    jobStatus: given(env, "job-status")
  }
  check(inputs)
  return inputs
}

/** @param {{ readonly [K in "command" | "run" | "correlationId"]: string } & { readonly stacks: ReadonlyArray<string> }} inputs */
const check = ({ command, correlationId, run, stacks }) => {
  if (command === "run" && run === "") {
    throw new InputError("run: is missing", "Say what to run, such as: npx cdk deploy --require-approval never")
  }
  if (command !== "run" && run !== "") {
    throw new InputError(`run: ${command} runs nothing`, "Take it out, or give command: run.")
  }
  if (command === "deploy" && stacks.length > 0) {
    throw new InputError("stacks: deploy brings in every stack", "Take it out, or give command: run.")
  }
  if (["monitor", "status", "cleanup"].includes(command) && correlationId === "") {
    throw new InputError(
      `correlation-id: is missing, and ${command} is about one execution`,
      "Give the output correlation-id of the step that started it."
    )
  }
}
