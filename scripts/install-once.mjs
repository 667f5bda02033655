// Several tests may need the same tool at once: the first one installs it, the others wait.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname } from "node:path"

const longest = 1_800_000

/** @param {string} claim */
const isLeftBehind = (claim) => {
  try {
    process.kill(Number(readFileSync(claim, "utf8")), 0)
    return false
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH"
  }
}

/**
 * Installs something into a folder, unless `complete` exists, which `install` makes at its end. A process that was ended
 * meanwhile blocks no other.
 * @param {string} folder @param {string} complete @param {() => void} install
 */
export const installOnce = (folder, complete, install) => {
  const claim = `${folder}.installs`
  mkdirSync(dirname(folder), { recursive: true })
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (const end = Date.now() + longest; !existsSync(complete); Atomics.wait(pause, 0, 0, 200)) {
    if (Date.now() > end) throw new Error(`another process did not end installing ${folder}; remove ${claim}`)
    try {
      writeFileSync(claim, String(process.pid), { flag: "wx" })
    } catch {
      if (isLeftBehind(claim)) rmSync(claim, { force: true })
      continue
    }
    try {
      if (!existsSync(complete)) install()
    } finally {
      rmSync(claim, { force: true })
    }
  }
}
