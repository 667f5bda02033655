/**
 * What a step types.
 */

/** @typedef {import("./inputs.mjs").Inputs} Inputs */
/** @typedef {import("./runner.mjs").Env} Env */

/** A flag with its value, or nothing if there is none. @param {string} name @param {string | undefined} value */
const flag = (name, value) => (value === undefined || value === "" ? [] : [name, value])
/** @param {string} value */
const word = (value) => (value === "" ? [] : [value])

/** The page of this run, for people whose deployment it blocks. @param {Env} env @returns {string} */
const pageOf = ({ GITHUB_REPOSITORY, GITHUB_RUN_ID, GITHUB_SERVER_URL }) =>
  GITHUB_RUN_ID === undefined || GITHUB_REPOSITORY === undefined
    ? ""
    : `${GITHUB_SERVER_URL ?? "https://github.com"}/${GITHUB_REPOSITORY}/actions/runs/${GITHUB_RUN_ID}`

/** @param {Inputs} inputs */
const queueOf = ({ queue, waitForTurn }) =>
  queue !== "" || waitForTurn === undefined ? queue : waitForTurn ? "fifo" : "reject"

/** @param {Inputs} inputs */
const queueing = (inputs) => [
  ...flag("--queue", queueOf(inputs)),
  ...(inputs.waitForTurn === false ? [] : flag("--queue-timeout", inputs.timeout))
]

/** Waits for the admission of a registered execution, or else until a deployment may start. @param {Inputs} inputs */
export const waiting = ({ correlationId, deployment, environment, hold, interval, timeout }) => [
  "wait",
  ...word(correlationId === "" ? deployment : correlationId),
  ...(correlationId === "" ? flag("--environment", environment) : []),
  ...flag("--timeout", timeout),
  ...flag("--interval", interval),
  ...flag("--hold", hold),
  "--json"
]

/** @param {Inputs} inputs @param {Env} env @returns {ReadonlyArray<string>} */
export const argumentsOf = (inputs, env) => {
  const place = flag("--environment", inputs.environment)
  const where = [...word(inputs.deployment), ...place]
  const stacks = inputs.stacks.flatMap((name) => ["--stack", name])
  const kind = flag("--kind", inputs.kind)
  const version = flag("--version", inputs.version)
  const artifact = inputs.artifacts.flatMap((one) => ["--artifact", one])
  const id = flag("--correlation-id", inputs.correlationId)
  const override = flag("--override", inputs.override)
  const why = [...override, ...flag("--reason", inputs.reason)]
  switch (inputs.command) {
    case "can-deploy":
      return ["can-deploy", ...where, ...stacks, ...kind, ...version, ...id, ...override, "--json"]
    case "register": {
      const from = [...flag("--commit", env["GITHUB_SHA"]), ...flag("--workflow-run", pageOf(env))]
      const what = [...kind, ...version, ...artifact, ...id, ...from]
      return ["register", ...where, ...stacks, ...what, ...flag("--queue", queueOf(inputs)), ...why, "--json"]
    }
    case "wait":
      return waiting(inputs)
    // These report line by line, which belongs in the log; the result is queried afterwards.
    case "deploy":
      return ["deploy", ...where, ...version, ...id, ...artifact, ...queueing(inputs), ...why]
    case "rollback":
      return ["rollback", ...where, ...id, ...queueing(inputs), ...why]
    case "run": {
      // Arguments after the flags are the command.
      const before = [...flag("--deployment", inputs.deployment), ...place, ...stacks, ...version, ...id]
      const shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", inputs.run]
      return ["run", ...before, ...queueing(inputs), ...why, "--", ...shell]
    }
    case "monitor":
      return [
        "monitor",
        inputs.correlationId,
        ...flag("--interval", inputs.interval),
        ...flag("--stall-after", inputs.stallAfter)
      ]
    case "status":
      return ["status", inputs.correlationId, "--json"]
    case "verify":
      return ["health", ...where, "--json"]
    case "cleanup":
      return cleaning(inputs.correlationId, inputs.status, inputs.reason)
  }
}

/** @param {string} correlationId @param {string} status @param {string} [reason] @returns {ReadonlyArray<string>} */
export const cleaning = (correlationId, status, reason) => [
  "cleanup",
  correlationId,
  ...flag("--status", status),
  ...flag("--reason", reason),
  "--json"
]
