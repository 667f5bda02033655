import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"

/** A process of a script in this folder, on the sources. */
export interface Child {
  readonly process: ChildProcess
  /** Returns its output; throws its output if it failed. */
  readonly output: Promise<string>
}

export const startChild = (script: string, args: ReadonlyArray<string>): Child => {
  const path = fileURLToPath(new URL(script, import.meta.url))
  const child = spawn(process.execPath, ["--conditions=@signalbox/source", path, ...args], {
    stdio: ["ignore", "pipe", "pipe"]
  })
  let out = ""
  let err = ""
  child.stdout.on("data", (chunk) => (out += String(chunk)))
  child.stderr.on("data", (chunk) => (err += String(chunk)))
  const output = once(child, "close").then(([code, signal]) => {
    if (code !== 0 && signal !== "SIGKILL") throw new Error(`${script} ended with ${code ?? signal}: ${err}`)
    return out
  })
  return { process: child, output }
}
