// Installs the official command of Firebase that the tests compare with, outside the lockfile: it is 242 MB.
import { spawnSync } from "node:child_process"
import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { delimiter, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { installOnce } from "./install-once.mjs"

const version = "15.34.2"
const root = join(dirname(fileURLToPath(import.meta.url)), "..")
const folder = join(root, "node_modules", ".cache", "signalbox", `firebase-tools-${version}`)

const longest = 1_800_000

/** Installs it once, and returns its program. Throws if it cannot be had. */
export const install = () => {
  const program = join(folder, "node_modules", "firebase-tools", "lib", "bin", "firebase.js")
  installOnce(folder, folder, () => {
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
      renameSync(fresh, folder)
    } finally {
      rmSync(fresh, { recursive: true, force: true })
    }
  })
  return program
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(install())
