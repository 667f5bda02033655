/** Builds of two generations: copies of the sources with a difference, run by Node as they are. */
import { execFileSync } from "node:child_process"
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { cleanEnvironment } from "../bundle.ts"

const packages = join(import.meta.dirname, "..", "..", "..")

/** An edit that must change the file: a copy without its difference would prove nothing. */
const edit = (path: string, from: string | RegExp, to: string): void => {
  const before = readFileSync(path, "utf8")
  const after = before.replace(from, to)
  if (after === before) throw new Error(`${path} has no ${String(from)}`)
  writeFileSync(path, after)
}

const linked = (name: string, into: string, instead: Readonly<Record<string, string>>): void => {
  const link = (path: string, folder: string) => {
    mkdirSync(join(folder, ".."), { recursive: true })
    symlinkSync(path, folder)
  }
  const from = join(packages, name, "node_modules")
  for (const entry of readdirSync(from)) {
    if (entry === "@signalbox" || entry.startsWith(".")) continue
    link(join(from, entry), join(into, "node_modules", entry))
  }
  for (const [module, path] of Object.entries(instead)) link(path, join(into, "node_modules", ...module.split("/")))
}

/** Copies core and node into `folder`. */
const copy = (folder: string): void => {
  for (const name of ["core", "node"]) {
    cpSync(join(packages, name, "src"), join(folder, name, "src"), { recursive: true })
    cpSync(join(packages, name, "package.json"), join(folder, name, "package.json"))
  }
  const core = join(folder, "core")
  linked("core", core, {})
  linked("node", join(folder, "node"), { "@signalbox/core": core, "@signalbox/node": join(folder, "node") })
}

/** Today's build, one generation later: it has a tag and a field that the older build lacks. */
export const newerBuild = (folder: string): string => {
  copy(folder)
  edit(
    join(folder, "core", "src", "store", "sql", "Migrations.ts"),
    /(export const migrations\b[\s\S]*?\})\n\]\n/,
    "$1,\n  { compatibleFrom: 1, sqlite: [], pg: [] }\n]\n"
  )
  return folder
}

/** The build before: without `MonitorClaimed`, and without `origin` in states. */
export const olderBuild = (folder: string): string => {
  copy(folder)
  const domain = join(folder, "core", "src", "domain")
  edit(join(domain, "Event.ts"), /\n {2}MonitorClaimed: \{[^\n]*\},/, "")
  edit(join(domain, "ExecutionState.ts"), /\n {2}origin: [^\n]*,/, "")
  return folder
}

/** Adds the worker to a build, and returns its path. */
export const workerOf = (folder: string): string => {
  const worker = join(folder, "node", "worker.ts")
  cpSync(join(import.meta.dirname, "worker.ts"), worker)
  return worker
}

/** Bundles the command of a build, packs it, installs it as a user would, and returns the program. */
export const packedCommand = (folder: string): string => {
  const cli = join(folder, "cli")
  const local = join(folder, "provider-local")
  for (const [from, to] of [
    ["provider-local", local],
    ["cli", cli]
  ] as const) {
    cpSync(join(packages, from), to, {
      recursive: true,
      filter: (path) => !["node_modules", "dist", "test"].includes(basename(path))
    })
  }
  cpSync(join(packages, "..", "LICENSE"), join(folder, "LICENSE"))
  const core = join(folder, "core")
  linked("provider-local", local, { "@signalbox/core": core })
  linked("cli", cli, {
    "@signalbox/core": core,
    "@signalbox/node": join(folder, "node"),
    "@signalbox/provider-local": local
  })
  const run = (command: string, args: ReadonlyArray<string>, cwd: string) =>
    execFileSync(command, args, { cwd, env: cleanEnvironment(), encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })
  run(process.execPath, [join(cli, "node_modules", "tsup", "dist", "cli-default.js")], cli)
  const tarball = run("npm", ["pack", "--silent", "--ignore-scripts"], cli).trim().split("\n").at(-1)!
  const installed = join(folder, "installed")
  mkdirSync(installed)
  writeFileSync(join(installed, "package.json"), JSON.stringify({ private: true }))
  run("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error", join(cli, tarball)], installed)
  return join(installed, "node_modules", "@signalbox", "cli", "dist", "signalbox.cjs")
}
