import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
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

/** Start of the whole process, against the floor and against other deploy commands. */
export const cli = (rounds = 15): ReadonlyArray<Row> => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  try {
    writeFileSync(join(folder, "signalbox.config.json"), JSON.stringify(config))
    const { status, stderr } = spawnSync(node, [signalbox, "init"], { cwd: folder, encoding: "utf8" })
    if (status !== 0) throw new Error(stderr)
    const others = ["firebase", "cdk", "wrangler", "netlify", "vercel"].flatMap((name) => {
      const file = peer(name)
      return file === undefined ? [] : [[name, file] as const]
    })
    const own = interleave(
      {
        "node -e 0": [node, "-e", "0"],
        "--version": [node, signalbox, "--version"],
        "--help": [node, signalbox, "--help"],
        "status --json": [node, signalbox, "status", "--json", "-e", "production"]
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
