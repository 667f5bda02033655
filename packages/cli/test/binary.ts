/**
 * The real program, bundled into a folder of its own and run as a child process.
 */
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { bundle, cleanEnvironment } from "./bundle.ts"
import { type Ran, temporary } from "./support.ts"

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
  readonly remove: () => void
}

export const build = (): Binary => {
  const directory = temporary("binary")
  const path = bundle(directory)
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
      child.on("error", reject)
      child.on("close", (code, signal) => resolve({ code: code ?? (signal === null ? -1 : -2), stdout, stderr }))
    })
  return { path, run, remove: () => Fs.rmSync(directory, { recursive: true, force: true }) }
}
