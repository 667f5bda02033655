import { execFileSync } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = join(dirname(fileURLToPath(import.meta.url)), "..")

/** The environment without what would make the program behave otherwise here than elsewhere. */
export const cleanEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).filter(
      ([name, value]) =>
        value !== undefined && !/^(SIGNALBOX_|GITHUB_|CI$|FORCE_COLOR$|NO_COLOR$|VITEST|NODE_OPTIONS$)/.test(name)
    )
  ) as Record<string, string>

/** Bundles the real program into a folder of its own; gives the file to run. */
export const bundle = (directory: string): string => {
  const tsup = join(dirname(createRequire(import.meta.url).resolve("tsup/package.json")), "dist", "cli-default.js")
  execFileSync(process.execPath, [tsup], {
    cwd: root,
    env: { ...cleanEnvironment(), SIGNALBOX_OUT_DIR: directory },
    stdio: "pipe"
  })
  return join(directory, "signalbox.cjs")
}
