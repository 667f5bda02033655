#!/usr/bin/env node
/**
 * The entry of the program. It answers `--version` before anything else is loaded, and enables the compile cache for
 * the rest. That is why it is a separate file: a file cannot be cached by a call within it.
 */
import { enableCompileCache } from "node:module"
import { version } from "./version.ts"

declare const require: (path: string) => unknown

const oldest = [22, 19] as const
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

/**
 * Node warnings that need no action: Node 22's about each opened store (the used part is the same in Node 24), and any
 * Node's about a configuration in a package without a `type`.
 */
const known = ["SQLite is an experimental feature", "Module type of "]

const withoutWarnings = (): void => {
  const warn = process.emitWarning as (...args: ReadonlyArray<unknown>) => void
  process.emitWarning = (...args: ReadonlyArray<unknown>) => {
    if (!known.some((text) => String(args[0]).startsWith(text))) warn(...args)
  }
}

const args = process.argv.slice(2)
if (args.length === 1 && (args[0] === "--version" || args[0] === "-v")) {
  process.stdout.write(`${version}\n`)
} else if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  process.stderr.write(
    `error: signalbox needs Node ${oldest.join(".")} or later; this is ${process.version}\nhint:  Install a newer Node, or put it first on the PATH.\n`
  )
  process.exitCode = 64
} else if (args[0] === "__guard") {
  // A command waits for it: nothing else is loaded.
  require("./guard.cjs")
} else {
  withoutWarnings()
  enableCompileCache()
  const end = args.indexOf("--")
  const flags = end === -1 ? args : args.slice(0, end)
  // If help is requested, no command runs, so its handlers' modules can be missing.
  if (args.length === 0 || flags.includes("--help") || flags.includes("-h")) require("./help.cjs")
  else require("./main.cjs")
}
