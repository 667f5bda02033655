/**
 * The project's signalbox: where it is, and how to run it.
 */
import { spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join, resolve } from "node:path"
import { InputError } from "./inputs.mjs"
import { quoted } from "./runner.mjs"

/** @typedef {import("./runner.mjs").Env} Env */
/** A program with what comes before its own arguments. @typedef {ReadonlyArray<string>} Program */

/**
 * @typedef {object} Ran
 * @property {number} code
 * @property {string} stdout
 * @property {string} stderr The end of it.
 */

/** @typedef {(signal: NodeJS.Signals) => void} Listener */

/** How much of each stream is kept: results are one line, and the end of a log is enough. */
const keptOfStream = 4_000_000

/** What a step of the job may see, and code that it runs may not: this step's inputs and state, the runner's own tokens. */
const withheld = /^(INPUT_|STATE_|GITHUB_STATE$|ACTIONS_(RUNTIME|CACHE|RESULTS)_)/

/** @param {Env} env @param {Env} more */
const environment = (env, more) =>
  Object.fromEntries(Object.entries({ ...env, ...more }).filter(([name]) => !withheld.test(name)))

/** @typedef {{ readonly first: () => NodeJS.Signals | undefined, readonly listen: (listener: Listener) => () => void }} Signals */

/** Only the action receives signals; it passes them on to its child. @returns {Signals} */
export const signalsOfProcess = () => {
  /** @type {NodeJS.Signals | undefined} */
  let first
  /** @type {Set<Listener>} */
  const listeners = new Set()
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.on(signal, () => {
      first ??= signal
      for (const listener of listeners) listener(signal)
    })
  }
  return {
    first: () => first,
    listen: (listener) => {
      listeners.add(listener)
      if (first !== undefined) listener(first)
      return () => void listeners.delete(listener)
    }
  }
}

/**
 * Runs a program to its end. `show` writes its output to the log; `onLine` gets each line of its standard output.
 * @param {Program} program @param {ReadonlyArray<string>} args
 * @param {{ readonly cwd: string, readonly env: Env, readonly more?: Env, readonly signals?: Signals, readonly show?: "both" | "stderr", readonly onLine?: (line: string) => void, readonly timeout?: number }} options
 * @returns {Promise<Ran>}
 */
export const execute = ([file = "", ...first], args, { cwd, env, more = {}, onLine, show, signals, timeout }) =>
  new Promise((end, reject) => {
    const child = spawn(file, [...first, ...args], {
      cwd,
      env: environment(env, more),
      stdio: ["ignore", "pipe", "pipe"],
      ...(timeout === undefined ? {} : { timeout, killSignal: /** @type {const} */ ("SIGKILL") })
    })
    const silence = signals?.listen((signal) => void child.kill(signal))
    const said = { stdout: "", stderr: "" }
    let unread = ""
    let unfinished = false
    /** @param {"stdout" | "stderr"} name @param {string} text */
    const take = (name, text) => {
      said[name] = (said[name] + text).slice(-keptOfStream)
      if (show === "both" || show === name) {
        process.stdout.write(text)
        unfinished = !text.endsWith("\n")
      }
      if (name === "stdout" && onLine !== undefined) {
        const lines = (unread + text).split("\n")
        unread = lines.pop() ?? ""
        for (const line of lines) onLine(line)
      }
    }
    child.stdout.setEncoding("utf8").on("data", (text) => take("stdout", text))
    child.stderr.setEncoding("utf8").on("data", (text) => take("stderr", text))
    child.on("error", (cause) => {
      silence?.()
      reject(
        new InputError(
          `signalbox: ${file} cannot be run: ${cause.message}`,
          "Check the inputs signalbox and working-directory."
        )
      )
    })
    child.on("close", (code, signal) => {
      silence?.()
      // What comes next is read by the runner only at the start of a line.
      if (unfinished) process.stdout.write("\n")
      end({ code: code ?? { SIGINT: 130, SIGTERM: 143 }[String(signal)] ?? 137, ...said })
    })
  })

/** @param {string} path @returns {Program} */
const runnable = (path) => (/\.[cm]?js$/.test(path) ? [process.execPath, path] : [path])

/**
 * The program that is installed for the project, in this folder or above, within the workspace. @param {string} folder
 * @param {string} workspace @returns {string | undefined}
 */
const installed = (folder, workspace) => {
  const path = join(folder, "node_modules", ".bin", "signalbox")
  if (existsSync(path)) return path
  return folder === workspace || folder === dirname(folder) ? undefined : installed(dirname(folder), workspace)
}

/** The version of this action; before the first release there is none. */
const ownVersion = () => {
  const manifest = new URL("../../../packages/cli/package.json", import.meta.url)
  const version = existsSync(manifest) ? JSON.parse(readFileSync(manifest, "utf8")).version : "0.0.0"
  return version === "0.0.0" ? "latest" : version
}

/**
 * Installs a version into a folder of this job. Not by npx: it would stand between the program and its signals, and
 * the clean-up has no time to resolve a package again.
 * @param {string} version @param {Env} env @param {Signals} signals @returns {Promise<Program>}
 */
const install = async (version, env, signals) => {
  const folder = join(env["RUNNER_TEMP"] ?? tmpdir(), `signalbox-${version}`)
  const path = join(folder, "node_modules", ".bin", "signalbox")
  if (existsSync(path)) return [path]
  const args = ["install", "--prefix", folder, "--no-save", "--no-audit", "--no-fund", `@signalbox/cli@${version}`]
  const { code } = await quoted(`Installing @signalbox/cli@${version}`, () =>
    execute(["npm"], args, { cwd: tmpdir(), env, signals, show: "both" })
  )
  if (code === 0 && existsSync(path)) return [path]
  throw new InputError(
    `signalbox: @signalbox/cli@${version} could not be installed`,
    "Add @signalbox/cli to the devDependencies of the project and install them first, or give a path."
  )
}

/** The folder of the deployment. @param {Env} env @param {string} given */
export const folderOf = (env, given) => resolve(env["GITHUB_WORKSPACE"] ?? process.cwd(), given)

/**
 * @param {{ readonly signalbox: string, readonly workingDirectory: string }} inputs @param {Env} env @param {Signals} signals
 * @returns {Promise<Program>}
 */
export const locate = async ({ signalbox, workingDirectory }, env, signals) => {
  const folder = folderOf(env, workingDirectory)
  if (!existsSync(folder)) {
    throw new InputError(
      `working-directory: ${workingDirectory} is not there`,
      "It is relative to the workspace; check that actions/checkout came before."
    )
  }
  if (/^(v?\d+(\.\d+){0,2}(-[\w.-]+)?|latest|next)$/.test(signalbox)) {
    return install(signalbox.replace(/^v/, ""), env, signals)
  }
  if (signalbox !== "") {
    const path = resolve(folder, signalbox)
    if (existsSync(path)) return runnable(path)
    throw new InputError(
      `signalbox: ${signalbox} is not there`,
      "Give a path to the program, or a version such as 1.2.3."
    )
  }
  const own = installed(folder, folderOf(env, "."))
  return own === undefined ? install(ownVersion(), env, signals) : [own]
}
