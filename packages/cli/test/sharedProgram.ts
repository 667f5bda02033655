/**
 * The program that the tests of one run share: whichever needs it first bundles it, the others wait for it. As a setup of
 * vitest, this module gives the run a folder for it.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { bundle } from "./bundle.ts"

const variable = "SIGNALBOX_TEST_PROGRAM"
const longest = 300_000

export const setup = (): (() => void) => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-program-"))
  process.env[variable] = folder
  return () => rmSync(folder, { recursive: true, force: true })
}

const first = (folder: string): boolean => {
  try {
    mkdirSync(join(folder, "begun"))
    return true
  } catch {
    return false
  }
}

/** The file to run. */
export const sharedProgram = (): string => {
  const folder = process.env[variable]
  if (folder === undefined) throw new Error(`${variable} is set by the setup of the tests; run them with vitest`)
  const [done, failed] = [join(folder, "done"), join(folder, "failed")]
  if (first(folder)) {
    try {
      bundle(folder)
      writeFileSync(done, "")
    } catch (error) {
      writeFileSync(failed, "")
      throw error
    }
  }
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (const end = performance.now() + longest; !existsSync(done); Atomics.wait(pause, 0, 0, 20)) {
    if (existsSync(failed)) throw new Error("the program could not be bundled; the first test that needed it says why")
    if (performance.now() > end) throw new Error("bundling the program took too long")
  }
  return join(folder, "signalbox.cjs")
}
