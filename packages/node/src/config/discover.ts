import * as Fs from "node:fs"
import * as Path from "node:path"

/**
 * The names of a configuration file, in search order.
 */
export const configNames: ReadonlyArray<string> = ["ts", "mjs", "js", "json", "yaml", "yml"].map(
  (extension) => `signalbox.config.${extension}`
)

const isFile = (path: string): boolean => Fs.statSync(path, { throwIfNoEntry: false })?.isFile() === true

/**
 * Finds the configuration file of a project: in `from`, or above it up to the root of the repository (with `.git`) or
 * of the file system.
 */
export const findConfig = (from: string): string | undefined => {
  for (let directory = Path.resolve(from); ;) {
    for (const name of configNames) {
      const path = Path.join(directory, name)
      if (isFile(path)) return path
    }
    const parent = Path.dirname(directory)
    if (parent === directory || Fs.existsSync(Path.join(directory, ".git"))) return undefined
    directory = parent
  }
}

/**
 * Finds the user's own file, `$XDG_CONFIG_HOME/signalbox/config.{json,yaml,yml}`.
 */
export const findUserConfig = (env: Readonly<Record<string, string | undefined>>): string | undefined => {
  const home = env.XDG_CONFIG_HOME || (env.HOME ? Path.join(env.HOME, ".config") : undefined)
  if (home === undefined || !Path.isAbsolute(home)) return undefined
  return ["json", "yaml", "yml"].map((extension) => Path.join(home, "signalbox", `config.${extension}`)).find(isFile)
}
