#!/usr/bin/env node
/**
 * The entry of the program. It answers `--version` before anything else is loaded, and turns the compile cache on for all
 * the rest, which is why it is a file of its own: a file cannot be cached by a call within it.
 */
import { enableCompileCache } from "node:module"
import { version } from "./version.ts"

declare const require: (path: string) => unknown

const args = process.argv.slice(2)
if (args.length === 1 && (args[0] === "--version" || args[0] === "-v")) {
  process.stdout.write(`${version}\n`)
} else {
  enableCompileCache()
  const end = args.indexOf("--")
  const flags = end === -1 ? args : args.slice(0, end)
  // Where help is asked for, no command runs, so its handlers' modules need not be there.
  if (args.length === 0 || flags.includes("--help") || flags.includes("-h")) require("./help.cjs")
  else require("./main.cjs")
}
