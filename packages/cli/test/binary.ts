/**
 * The real program, bundled into a folder of its own and run as a child process.
 */
import { execFileSync, spawn } from "node:child_process"
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
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

const root = Path.join(Path.dirname(fileURLToPath(import.meta.url)), "..")

const clean = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name, value]) =>
        value !== undefined && !/^(SIGNALBOX_|GITHUB_|CI$|FORCE_COLOR$|NO_COLOR$|VITEST|NODE_OPTIONS$)/.test(name)
    )
  ) as Record<string, string>

export const build = (): Binary => {
  const directory = temporary("binary")
  const tsup = Path.join(
    Path.dirname(createRequire(import.meta.url).resolve("tsup/package.json")),
    "dist",
    "cli-default.js"
  )
  execFileSync(process.execPath, [tsup], {
    cwd: root,
    env: { ...clean(), SIGNALBOX_OUT_DIR: directory },
    stdio: "pipe"
  })
  const path = Path.join(directory, "signalbox.cjs")
  const run: Binary["run"] = (cwd, args, options = {}) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [path, ...args], {
        cwd,
        env: { ...clean(), HOME: cwd, XDG_CONFIG_HOME: Path.join(cwd, "no-such-folder"), ...options.env },
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
