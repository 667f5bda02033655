/** Builds of two generations: copies of the sources with a difference, run by Node as they are. */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"

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

/** Copies core, node and the worker into `folder`, and returns the path of the worker. */
const copy = (folder: string): string => {
  for (const name of ["core", "node"]) {
    cpSync(join(packages, name, "src"), join(folder, name, "src"), { recursive: true })
    cpSync(join(packages, name, "package.json"), join(folder, name, "package.json"))
  }
  const core = join(folder, "core")
  linked("core", core, {})
  linked("node", join(folder, "node"), { "@signalbox/core": core, "@signalbox/node": join(folder, "node") })
  const worker = join(folder, "node", "worker.ts")
  cpSync(join(import.meta.dirname, "worker.ts"), worker)
  return worker
}

/** Today's build, one generation later: it has a tag and a field that the older build lacks. */
export const newerBuild = (folder: string): string => {
  const worker = copy(folder)
  edit(
    join(folder, "core", "src", "store", "sql", "Migrations.ts"),
    /(export const migrations\b[\s\S]*?\n {2}\})\n\]\n/,
    "$1,\n  { compatibleFrom: 1, sqlite: [], pg: [] }\n]\n"
  )
  return worker
}

/** The build before: without `MonitorClaimed`, and without `origin` in states. */
export const olderBuild = (folder: string): string => {
  const worker = copy(folder)
  const domain = join(folder, "core", "src", "domain")
  edit(join(domain, "Event.ts"), /\n {2}MonitorClaimed: \{[^\n]*\},/, "")
  edit(join(domain, "ExecutionState.ts"), /\n {2}origin: [^\n]*,/, "")
  return worker
}
