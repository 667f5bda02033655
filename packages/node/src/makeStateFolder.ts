import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join, resolve } from "node:path"

/**
 * Creates the state folder, with a `.gitignore` that keeps it out of commits: databases, logs and releases do not
 * belong there. Both appear at once. An existing folder stays as it is.
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
