import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { spawnSync } from "node:child_process"
import { interleave, type Row } from "./measure.ts"
import { node, peer, signalbox } from "./paths.ts"

const config = {
  organization: "acme",
  project: "shop",
  environments: { production: {} },
  stacks: [{ name: "web", provider: "local", properties: { command: ["node", "server.mjs"], artifact: "." } }]
}

/** The same project with three plug-ins of its own; a command that reads needs none of them. */
const withPlugins = (folder: string): string => {
  const project = join(folder, "plugins")
  mkdirSync(project)
  const names = ["one", "two", "three"].map((name) => `plug-in-${name}`)
  for (const name of names) {
    const installed = join(project, "node_modules", name)
    mkdirSync(installed, { recursive: true })
    writeFileSync(join(installed, "package.json"), `{ "type": "module", "exports": "./index.js" }`)
    writeFileSync(join(installed, "index.js"), `export default { name: "${name}", spiVersion: 1, providers: {} }`)
  }
  writeFileSync(join(project, "signalbox.config.json"), JSON.stringify({ ...config, plugins: names }))
  return project
}

const init = (folder: string): void => {
  const { status, stderr } = spawnSync(node, [signalbox, "init"], { cwd: folder, encoding: "utf8" })
  if (status !== 0) throw new Error(stderr)
}

/** Start of the whole process, against the floor and against other deploy commands. */
export const cli = (rounds = 15): ReadonlyArray<Row> => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  try {
    writeFileSync(join(folder, "signalbox.config.json"), JSON.stringify(config))
    init(folder)
    const project = withPlugins(folder)
    init(project)
    const others = ["firebase", "cdk", "wrangler", "netlify", "vercel"].flatMap((name) => {
      const file = peer(name)
      return file === undefined ? [] : [[name, file] as const]
    })
    const own = interleave(
      {
        "node -e 0": [node, "-e", "0"],
        "--version": [node, signalbox, "--version"],
        "--help": [node, signalbox, "--help"],
        "status --json": [node, signalbox, "status", "--json", "-e", "production"],
        "status --json, 3 plug-ins": [node, signalbox, "status", "--json", "-e", "production", "--directory", project]
      },
      { rounds, cwd: folder }
    )
    const theirs = interleave(
      Object.fromEntries(
        others.flatMap(([name, file]) => [
          [`${name} --version`, [node, file, "--version"]],
          [`${name} --help`, [node, file, "--help"]]
        ])
      ),
      { rounds: Math.ceil(rounds / 3), cwd: folder }
    )
    const floor = own["node -e 0"]!.median
    const goals: Readonly<Record<string, number>> = { "--version": 1.3, "--help": 3, "status --json": 5 }
    return [
      { group: "cli", what: "node -e 0", value: floor, unit: "ms" },
      ...Object.entries(goals).map(([what, goal]): Row => ({
        group: "cli",
        what: `signalbox ${what}`,
        value: own[what]!.median,
        unit: "ms",
        against: "node -e 0",
        ratio: own[what]!.median / floor,
        goal
      })),
      {
        group: "cli",
        what: "signalbox status --json with three plug-ins",
        value: own["status --json, 3 plug-ins"]!.median,
        unit: "ms",
        against: "without, and 25 ms",
        ratio: own["status --json, 3 plug-ins"]!.median / (own["status --json"]!.median + 25),
        goal: 1
      },
      ...Object.entries(theirs).map(([what, { median }]): Row => ({
        group: "cli",
        what,
        value: median,
        unit: "ms",
        against: "node -e 0",
        ratio: median / floor
      }))
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
