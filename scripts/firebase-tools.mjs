// Installs the official command of Firebase that the tests compare with, outside the lockfile: it is 242 MB.
import { spawnSync } from "node:child_process"
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const version = "15.34.2"
const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const folder = join(root, "node_modules", ".cache", "signalbox", `firebase-tools-${version}`)

/** Installs it once, and returns its program. Throws if it cannot be had. */
export const install = () => {
  const program = join(folder, "node_modules", "firebase-tools", "lib", "bin", "firebase.js")
  // A folder that was interrupted has no such file.
  const complete = join(folder, "complete")
  if (existsSync(complete)) return program
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, "package.json"), `{ "private": true }\n`)
  const flags = ["--no-audit", "--no-fund", "--omit=optional", "--ignore-scripts", "--loglevel=error"]
  const { error, status, stderr } = spawnSync("npm", ["install", ...flags, `firebase-tools@${version}`], {
    cwd: folder,
    encoding: "utf8",
    timeout: 600_000,
    env: { ...process.env, PATH: `${dirname(process.execPath)}${delimiter}${process.env["PATH"]}` }
  })
  if (error !== undefined || status !== 0) {
    rmSync(folder, { recursive: true, force: true })
    throw new Error(`npm install firebase-tools@${version} failed: ${error?.message ?? stderr}`)
  }
  writeFileSync(complete, "")
  return program
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(install())
