// Several tests may need the same tool at once: the first one installs it, the others wait.
import { existsSync, mkdirSync, rmSync } from "node:fs"
import { dirname } from "node:path"

const longest = 1_800_000

/**
 * Installs something into a folder, unless `complete` exists, which `install` makes at its end.
 * @param {string} folder @param {string} complete @param {() => void} install
 */
export const installOnce = (folder, complete, install) => {
  const claim = `${folder}.lock`
  mkdirSync(dirname(folder), { recursive: true })
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (const end = Date.now() + longest; !existsSync(complete); Atomics.wait(pause, 0, 0, 200)) {
    if (Date.now() > end) throw new Error(`another process did not end installing ${folder}; remove ${claim}`)
    try {
      mkdirSync(claim)
    } catch {
      // Another process has it.
      continue
    }
    try {
      if (!existsSync(complete)) install()
    } finally {
      rmSync(claim, { recursive: true, force: true })
    }
  }
}
