/**
 * What the scripts of this repository share: where things are, and how a command is run.
 */
import { spawnSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

/** The folder of the repository. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/\/$/, "")

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly packageManager?: string
  readonly engines?: Readonly<Record<string, string>>
  readonly bin?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

/** Reads a `package.json`. */
export const manifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Manifest

/** The folders of the packages that are published. */
export const packages: ReadonlyArray<string> = readdirSync(join(root, "packages"))
  .toSorted()
  .map((name) => join(root, "packages", name))

/**
 * Runs a command to its end and returns its standard output.
 *
 * *Errors*: throws with all its output if it fails.
 */
export const run = (
  command: string,
  args: ReadonlyArray<string>,
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}
): string => {
  const result = spawnSync(command, args, {
    cwd: options.cwd ?? root,
    env: options.env ?? process.env,
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024
  })
  if (result.error !== undefined) throw result.error
  if (result.status !== 0) {
    throw new Error(`${[command, ...args].join(" ")} ended with ${result.status}\n${result.stdout}${result.stderr}`)
  }
  return result.stdout
}

/** The package manager, in the version that `package.json` names. */
export const pnpm = (args: ReadonlyArray<string>): string =>
  run("npx", ["--yes", manifest(root).packageManager!, ...args])
