/**
 * How an action speaks to the runner: files for values, lines on standard output for messages.
 */
import { randomUUID } from "node:crypto"
import { appendFileSync } from "node:fs"

/** @typedef {Readonly<Record<string, string | undefined>>} Env */

/** A summary may have 1 MiB; the runner would reject a longer one completely. */
const summaryLimit = 1_000_000

/** @param {string} text */
const data = (text) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")
/** @param {string} text */
const property = (text) => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C")

/** @param {string} line */
export const say = (line) => void process.stdout.write(`${line}\n`)

/** @param {string} name @param {string} message @param {string} [title] */
const command = (name, message, title) =>
  say(`::${name}${title === undefined ? "" : ` title=${property(title)}`}::${data(message)}`)

/** @param {string} title @param {string} message */
export const notice = (title, message) => command("notice", message, title)
/** @param {string} title @param {string} message */
export const warning = (title, message) => command("warning", message, title)
/** @param {string} title @param {string} message */
export const error = (title, message) => command("error", message, title)
/** @param {string} value */
export const mask = (value) => command("add-mask", value)

/**
 * Shows what others write: in a group that can be folded, and with commands switched off, so that no log line can set
 * a mask, an annotation or anything else.
 * @template A
 * @param {string} title @param {() => Promise<A>} body @returns {Promise<A>}
 */
export const quoted = async (title, body) => {
  const token = randomUUID()
  command("group", title)
  command("stop-commands", token)
  try {
    return await body()
  } finally {
    say(`::${token}::`)
    say("::endgroup::")
  }
}

/**
 * Adds a value to one of the runner's files. The delimiter is random, so that no value can end itself early.
 * @param {string | undefined} file @param {string} name @param {string} value
 */
const put = (file, name, value) => {
  if (file === undefined || file === "") return
  const delimiter = `signalbox_${randomUUID()}`
  appendFileSync(file, `${name}<<${delimiter}\n${value}\n${delimiter}\n`)
}

/** @param {Env} env @param {string} name @param {string} value */
export const output = (env, name, value) => put(env["GITHUB_OUTPUT"], name, value)

/** Keeps a value for the clean-up of this step. @param {Env} env @param {string} name @param {string} value */
export const keep = (env, name, value) => put(env["GITHUB_STATE"], name, value)

/** What this step kept. @param {Env} env @param {string} name @returns {string} */
export const kept = (env, name) => env[`STATE_${name}`] ?? ""

/** @param {Env} env @param {string} markdown */
export const summarize = (env, markdown) => {
  const file = env["GITHUB_STEP_SUMMARY"]
  if (file === undefined || file === "") return
  const cut = markdown.length > summaryLimit / 4 ? `${markdown.slice(0, summaryLimit / 4)}\n\n… cut off\n` : markdown
  appendFileSync(file, `${cut}\n`)
}
