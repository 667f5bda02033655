// Installs the official command of Firebase that the tests compare with, outside the lockfile: it is 242 MB.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const version = "15.34.2"
const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const folder = join(root, "node_modules", ".cache", "signalbox", `firebase-tools-${version}`)

const claim = `${folder}.lock`
const longest = 1_800_000

/** False once it is installed. Several tests may begin at once: the first one installs, the others wait for it. */
const claimed = () => {
  mkdirSync(dirname(folder), { recursive: true })
  const pause = new Int32Array(new SharedArrayBuffer(4))
  for (const end = Date.now() + longest; Date.now() < end; Atomics.wait(pause, 0, 0, 200)) {
    if (existsSync(folder)) return false
    try {
      mkdirSync(claim)
      return true
    } catch {
      // Another process has it.
    }
  }
  throw new Error(`another process did not end installing firebase-tools; remove ${claim}`)
}

/** Installs it once, and returns its program. Throws if it cannot be had. */
export const install = () => {
  const program = join(folder, "node_modules", "firebase-tools", "lib", "bin", "firebase.js")
  if (!claimed()) return program
  // In a folder of its own first, because it may be interrupted.
  const fresh = `${folder}.${process.pid}`
  mkdirSync(fresh, { recursive: true })
  writeFileSync(join(fresh, "package.json"), `{ "private": true }\n`)
  const flags = ["--no-audit", "--no-fund", "--omit=optional", "--ignore-scripts", "--loglevel=error"]
  const { error, status, stderr } = spawnSync("npm", ["install", ...flags, `firebase-tools@${version}`], {
    cwd: fresh,
    encoding: "utf8",
    timeout: longest,
    env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}` }
  })
  try {
    if (error !== undefined || status !== 0) {
      throw new Error(`npm install firebase-tools@${version} failed: ${error?.message ?? stderr}`)
    }
    if (!existsSync(folder)) renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
    rmSync(claim, { recursive: true, force: true })
  }
  return program
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(install())
