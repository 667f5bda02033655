/**
 * Standard output is reserved for this program's results. The project's code runs in the same process: a configuration
 * in TypeScript, and its imports. Its output goes to standard error.
 */
import { syncBuiltinESMExports } from "node:module"

type Write = NodeJS.WriteStream["write"]

/** Writes to standard output, even after it was redirected for others. */
export const toStdout: Write = process.stdout.write.bind(process.stdout) as Write

const [stdout, stderr] = [1, 2] as const

/** A child process that would inherit standard output gets standard error. */
const away = (stdio: unknown): unknown => {
  const one = (item: unknown, index: number): unknown => {
    if (item === "inherit") return index === stdout ? stderr : item
    return item === stdout || item === process.stdout ? stderr : item
  }
  if (stdio === "inherit") return ["inherit", stderr, "inherit"]
  return Array.isArray(stdio) ? stdio.map(one) : stdio
}

interface Options {
  readonly stdio?: unknown
}

const withStdio = (args: ReadonlyArray<unknown>): ReadonlyArray<unknown> =>
  args.map((arg) =>
    typeof arg === "object" && arg !== null && !Array.isArray(arg) && (arg as Options).stdio !== undefined
      ? { ...arg, stdio: away((arg as Options).stdio) }
      : arg
  )

type Call = (...args: ReadonlyArray<unknown>) => unknown
type Calls = Record<string, Call>

/** Wraps functions of a Node module with `by`, for later importers. */
const around = (module: object, names: ReadonlyArray<string>, by: (call: Call) => Call): void => {
  const calls = module as Calls
  for (const name of names) calls[name] = Object.assign(by(calls[name]!), calls[name])
}

let shielded = false

/**
 * From now on only `toStdout` writes to standard output: no `console.log`, no write to the descriptor, no child process
 * that inherits it. Native code and files such as `/dev/stdout` are out of reach.
 */
export const shieldStdout = (): void => {
  if (shielded) return
  shielded = true
  process.stdout.write = process.stderr.write.bind(process.stderr) as Write
  // Loaded here: they would cost every start 3 ms.
  const processes = process.getBuiltinModule("node:child_process")
  around(
    processes.ChildProcess.prototype,
    ["spawn"],
    (spawn) =>
      function (this: unknown, ...args) {
        return spawn.apply(this, withStdio(args) as Array<unknown>)
      }
  )
  around(
    processes,
    ["spawnSync", "execSync", "execFileSync"],
    (run) =>
      (...args) =>
        run(...withStdio(args))
  )
  around(
    process.getBuiltinModule("node:fs"),
    ["write", "writeSync", "writev", "writevSync", "writeFile", "writeFileSync", "appendFile", "appendFileSync"],
    (write) =>
      (file, ...args) =>
        write(file === stdout ? stderr : file, ...args)
  )
  syncBuiltinESMExports()
}
