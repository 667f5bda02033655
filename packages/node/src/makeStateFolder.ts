import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"

/**
 * Makes the folder that holds the state, with a `.gitignore` that keeps all of it out of commits: databases, logs and releases
 * do not belong there. Both appear at once. A folder that is there already stays as it is.
 */
export const makeStateFolder = (folder: string): void => {
  const path = resolve(folder)
  if (existsSync(path)) return
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const made = mkdtempSync(`${path}.new-`)
  try {
    writeFileSync(join(made, ".gitignore"), "*\n", { mode: 0o600 })
    renameSync(made, path)
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    // Another process was first.
    if (!existsSync(path)) throw error
  }
}
