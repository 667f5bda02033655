import { spawnSync } from "node:child_process"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { digest, parse, unpack } from "../packages/provider-local/src/Artifact.ts"
import { type Row, spread } from "./measure.ts"
import { node, signalbox } from "./paths.ts"

const files = 50_000
const rounds = 3

/** A folder like an application with its `node_modules`: many packages of some small files. */
const tree = (root: string): void => {
  for (let file = 0; file < files; file++) {
    const folder = join(root, "node_modules", `package-${Math.floor(file / 50)}`, `part-${Math.floor(file / 10) % 5}`)
    if (file % 10 === 0) mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, `file-${file % 10}.js`), `// ${file}\n`.repeat(20 + ((file * 7919) % 200)))
  }
}

const server = `import { createServer } from "node:http"
createServer((_, response) => response.end("ok")).listen(Number(process.env.PORT), "127.0.0.1")
`

const timed = async (run: () => unknown): Promise<number> => {
  const started = performance.now()
  await run()
  return performance.now() - started
}

/** An artifact of 50,000 small files: copied, deployed for the first time, and planned, against `cp -r` of the same folder. */
export const artifact = async (): Promise<ReadonlyArray<Row>> => {
  const folder = mkdtempSync(join(tmpdir(), "signalbox-bench-"))
  const app = join(folder, "app")
  const times = { "cp -r": [], stage: [], "first deploy": [], "dry run": [] } as Record<string, Array<number>>
  const signal = new AbortController().signal
  try {
    tree(app)
    const config = {
      organization: "acme",
      project: "shop",
      environments: { production: {} },
      stacks: [
        {
          name: "web",
          provider: "local",
          // Of no interest here: how long a release is watched after it has come up.
          gate: { gracePeriod: "0 seconds", interval: "100 millis", consecutivePasses: 1 },
          properties: {
            command: [node, "server.mjs"],
            artifact: "./app",
            readiness: { path: "/", interval: "100 millis" }
          }
        }
      ]
    }
    writeFileSync(join(app, "server.mjs"), server)
    writeFileSync(join(folder, "signalbox.config.json"), JSON.stringify(config))
    const run = (...args: ReadonlyArray<string>) => {
      const { status, stderr } = spawnSync(node, [signalbox, ...args], { cwd: folder, encoding: "utf8" })
      if (status !== 0) throw new Error(stderr)
    }
    run("init")
    const source = parse(app, "deployment", undefined, folder, {})
    const wanted = await digest(source, signal)
    // In turn, so that a slow moment of the disk hits all of them.
    for (let round = 0; round < rounds; round++) {
      const [copy, release] = [join(folder, `copy-${round}`), join(folder, "releases", `release-${round}`)]
      times["cp -r"]!.push(await timed(() => spawnSync("cp", ["-r", app, copy])))
      times["stage"]!.push(await timed(() => unpack(source, wanted, release, signal, async () => undefined)))
      times["first deploy"]!.push(await timed(() => run("deploy", "--version", "v1")))
      run("destroy", "--yes")
      times["dry run"]!.push(await timed(() => run("deploy", "--version", "v1", "--dry-run")))
      for (const done of [copy, release]) rmSync(done, { recursive: true })
    }
    const of = (what: string) => spread(times[what]!).median
    const against = "cp -r"
    return [
      { group: "artifact", what: `cp -r of ${files} files`, value: of(against), unit: "ms" },
      {
        group: "artifact",
        what: "stage",
        value: of("stage"),
        unit: "ms",
        against,
        ratio: of("stage") / of(against),
        goal: 2
      },
      {
        group: "artifact",
        what: "first deployment, from typing it to its end",
        value: of("first deploy"),
        unit: "ms",
        against,
        ratio: of("first deploy") / of(against),
        goal: 2
      },
      {
        group: "artifact",
        what: "deploy --dry-run",
        value: of("dry run"),
        unit: "ms",
        against: "3 seconds",
        ratio: of("dry run") / 3000,
        goal: 1
      }
    ]
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
