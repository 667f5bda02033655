/**
 * Why a command cannot be started. One system error has several causes. They are distinguished here, from the files and
 * from the sizes, before the start if possible and after it otherwise.
 */
import { execFileSync } from "node:child_process"
import { closeSync, openSync, readSync, statSync } from "node:fs"
import { delimiter, isAbsolute, join, resolve } from "node:path"
import type { Runtime } from "../Protocol.ts"

/** The obstacle, with the property that it concerns and what helps. */
export interface Obstacle {
  readonly message: string
  readonly path: ReadonlyArray<string>
  readonly hint: string
}

/** Where the files are, and how the user knows that place. */
export interface Files {
  readonly root: string
  readonly shown: string
  /** Whether `shown` is a folder that the user can work in. */
  readonly open: boolean
}

type Launched = Pick<Runtime, "command" | "cwd">

const namesFile = (program: string): boolean => program.includes("/")

const quoted = (command: ReadonlyArray<string>): string => JSON.stringify(command)

const firstBytes = (file: string, bytes: number): string => {
  const opened = openSync(file, "r")
  try {
    const buffer = Buffer.alloc(bytes)
    return buffer.toString("latin1", 0, readSync(opened, buffer, 0, bytes, 0))
  } finally {
    closeSync(opened)
  }
}

/** The interpreter that the first line of a script names, and whether that line has a Windows line ending. */
const interpreterOf = (file: string): { readonly program: string; readonly crlf: boolean } | undefined => {
  let line: string
  try {
    line = firstBytes(file, 256).split("\n", 1)[0]!
  } catch {
    return undefined
  }
  const [, program] = /^#![ \t]*([^ \t\r]+)/.exec(line) ?? []
  return program === undefined ? undefined : { program, crlf: line.endsWith("\r") }
}

const statOf = (file: string) => {
  try {
    return statSync(file)
  } catch {
    return undefined
  }
}

/** Problems of a command found in the files of a release; undefined if there are none. */
export const obstacle = ({ command, cwd }: Launched, files: Files): Obstacle | undefined => {
  const folder = resolve(files.root, cwd)
  const found = statOf(folder)
  if (found === undefined || !found.isDirectory()) {
    return {
      message: `the working directory "${cwd}" is ${found === undefined ? "not" : "no directory"} in ${files.shown}`,
      path: ["cwd"],
      hint: "Correct cwd, which is relative to the artifact, or build what should be there."
    }
  }
  const [program = "", ...args] = command
  if (!namesFile(program)) return undefined
  const file = resolve(folder, program)
  const where = isAbsolute(program) ? program : files.open ? join(files.shown, cwd, program) : program
  const at = (message: string, hint: string): Obstacle => ({ message, path: ["command", "0"], hint })
  const script = statOf(file)
  if (script === undefined) {
    return at(
      `${program} does not exist${isAbsolute(program) ? "" : ` in ${cwd === "." ? files.shown : join(files.shown, cwd)}`}`,
      "Correct the command, which is relative to cwd, or build what should be there."
    )
  }
  if (!script.isFile()) return at(`${program} is not a file`, "Name a program.")
  const interpreter = interpreterOf(file)
  const executable = process.getuid?.() === 0 ? 0o111 : 0o100
  if ((script.mode & executable) === 0) {
    const runner = interpreter === undefined ? "sh" : interpreter.program.split("/").at(-1)!
    const by = runner === "env" ? "sh" : runner
    return at(
      `${program} is not executable`,
      `Run chmod +x ${where}, or set the command to ${quoted([by, program.replace(/^\.\//, ""), ...args])}.`
    )
  }
  if (interpreter?.crlf === true) {
    return at(
      `the first line of ${program} ends as on Windows (CR LF), so that its interpreter "${interpreter.program}\\r" is not found`,
      `Save ${where} with Unix line endings, for example: perl -pi -e 's/\\r$//' ${where}`
    )
  }
  if (interpreter !== undefined && isAbsolute(interpreter.program) && statOf(interpreter.program) === undefined) {
    return at(
      `the first line of ${program} names the interpreter ${interpreter.program}, which does not exist`,
      "Install it, or correct that line."
    )
  }
  return undefined
}

/** Whether a program that is named without a folder is found. */
const isOnPath = (program: string, path: string): boolean =>
  path.split(delimiter).some((folder) => statOf(join(folder === "" ? "." : folder, program))?.isFile() === true)

/** Problems of a command found in a `PATH`; undefined if there are none. */
export const missingOnPath = ({ command }: Launched, path: string | undefined): Obstacle | undefined => {
  const [program = ""] = command
  if (namesFile(program) || path === undefined || isOnPath(program, path)) return undefined
  return {
    message: `there is no program "${program}" on the PATH`,
    path: ["command", "0"],
    hint: `Install it, correct the name, or write ./${program} where it is part of the artifact.`
  }
}

const ask = (name: string, otherwise: number): number => {
  try {
    const value = Number(execFileSync("getconf", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }))
    return Number.isSafeInteger(value) && value > 0 ? value : otherwise
  } catch {
    return otherwise
  }
}

/** Below this, no check is needed: every system accepts it. */
const harmless = 100_000
/** The system's overhead for each string. */
const overhead = 9

/**
 * Whether an environment is too large for a start; undefined if it is not. Linux accepts 32 pages in one string; every
 * system limits the sum of arguments and environment.
 */
export const tooLarge = (
  command: ReadonlyArray<string>,
  env: Readonly<Record<string, string | undefined>>
): Obstacle | undefined => {
  const sizes = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : [{ name, bytes: Buffer.byteLength(`${name}=${value}`) + 1 }]
  )
  const args = command.reduce((sum, text) => sum + Buffer.byteLength(text) + overhead, 0)
  const total = sizes.reduce((sum, { bytes }) => sum + bytes + overhead - 1, args)
  if (total < harmless) return undefined
  const hint = "Put large values into a file of the artifact, and give the path of that file."
  const largest = sizes.reduce((one, other) => (other.bytes > one.bytes ? other : one), { name: "", bytes: 0 })
  const one = process.platform === "linux" ? 32 * ask("PAGESIZE", 4096) : Infinity
  if (largest.bytes > one) {
    return {
      message: `the environment is too large (${largest.name} has ${largest.bytes} bytes; this system takes ${one} in one variable)`,
      path: ["env", largest.name],
      hint
    }
  }
  const sum = ask("ARG_MAX", process.platform === "linux" ? 2 << 20 : 1 << 20)
  return total > sum
    ? {
        message: `the environment is too large (${total} bytes; this system takes ${sum})`,
        path: ["env", largest.name],
        hint
      }
    : undefined
}

/** Why a start failed, as exactly as possible. */
export const explain = (
  error: NodeJS.ErrnoException,
  runtime: Launched,
  files: Files,
  env: NodeJS.ProcessEnv
): { readonly reason: string; readonly hint?: string } => {
  const [program = ""] = runtime.command
  if (error.code === "E2BIG") {
    const large = tooLarge(runtime.command, env)
    return large === undefined
      ? { reason: "the command and its environment are too large for this system" }
      : { reason: large.message, hint: large.hint }
  }
  const found = obstacle(runtime, files) ?? missingOnPath(runtime, env["PATH"])
  if (found !== undefined) return { reason: found.message, hint: found.hint }
  if (error.code === "ENOENT" && namesFile(program)) {
    return {
      reason: `${program} exists, but what loads it does not`,
      hint: "It may be built for another system: see it with file, or ldd."
    }
  }
  return { reason: `${program} cannot be run: ${error.code ?? error.message}` }
}
