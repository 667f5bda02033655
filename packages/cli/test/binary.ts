/**
 * The real program, run as a child process.
 */
import { spawn } from "node:child_process"
import * as Path from "node:path"
import { cleanEnvironment } from "./bundle.ts"
import { sharedProgram } from "./sharedProgram.ts"
import type { Ran } from "./support.ts"

export interface Binary {
  readonly path: string
  readonly run: (
    cwd: string,
    args: ReadonlyArray<string>,
    options?: {
      readonly env?: Readonly<Record<string, string>>
      readonly signals?: ReadonlyArray<readonly [RegExp, NodeJS.Signals]>
    }
  ) => Promise<Ran>
}

/** A command that hangs is ended before its test is, so that the failure shows what it said. */
const longest = 600_000

export const build = (): Binary => {
  const path = sharedProgram()
  const run: Binary["run"] = (cwd, args, options = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [path, ...args], {
        cwd,
        env: { ...cleanEnvironment(), HOME: cwd, XDG_CONFIG_HOME: Path.join(cwd, "no-such-folder"), ...options.env },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let stdout = ""
      let stderr = ""
      const pending = [...(options.signals ?? [])]
      child.stdout.on("data", (data) => (stdout += data))
      child.stderr.on("data", (data) => {
        stderr += data
        const [next] = pending
        if (next?.[0].test(stderr) === true) {
          pending.shift()
          child.kill(next[1])
        }
      })
      let hangs = false
      const timer = setTimeout(() => {
        hangs = true
        child.kill("SIGKILL")
      }, longest)
      child.on("error", reject)
      child.on("close", (code, signal) => {
        clearTimeout(timer)
        if (hangs) reject(new Error(`${args.join(" ")} did not end: ${stdout}${stderr}`))
        else resolve({ code: code ?? (signal === null ? -1 : -2), stdout, stderr })
      })
    })
  return { path, run }
}
