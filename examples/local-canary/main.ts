/**
 * The demo: `npm run demo`. Everything is done by the command that users have; this file only types it in, and sends load.
 */
import { spawn } from "node:child_process"
import { once } from "node:events"
import { cp, mkdtemp, rm } from "node:fs/promises"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { Load } from "./Load.ts"
import { type Summary, summarize, tell } from "./Summary.ts"

const json = process.argv.includes("--json")
const keep = process.argv.includes("--keep")
const here = fileURLToPath(new URL(".", import.meta.url))
const signalbox = fileURLToPath(new URL("../../packages/cli/dist/signalbox.cjs", import.meta.url))
const perSecond = 200

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1")
  await once(server, "listening")
  const address = server.address()
  server.close()
  return typeof address === "object" && address !== null ? address.port : 0
}

const work = await mkdtemp(join(tmpdir(), "signalbox-demo-"))
const port = await freePort()
const env = {
  ...process.env,
  DEMO_PORT: String(port),
  SIGNALBOX_CONFIG: join(here, "signalbox.config.ts"),
  SIGNALBOX_DIRECTORY: work,
  SIGNALBOX_ENVIRONMENT: "production"
}

const say = (text: string) => {
  if (!json) process.stdout.write(`\n\u001b[1m${text}\u001b[0m\n`)
}

/** Types a command, shows its output, and checks its exit code. */
const run = async (args: ReadonlyArray<string>, wanted: number): Promise<void> => {
  const shown = args.map((arg) => (arg.startsWith(work) ? relative(work, arg) : arg))
  say(`$ signalbox ${shown.join(" ")}`)
  const child = spawn(process.execPath, [signalbox, ...args], {
    cwd: work,
    env,
    stdio: ["ignore", json ? "ignore" : "inherit", json ? "pipe" : "inherit"]
  })
  let errors = ""
  child.stderr?.on("data", (data) => (errors += String(data)))
  const [code] = await once(child, "exit")
  if (code !== wanted) throw new Error(`signalbox ${shown.join(" ")} ended with ${code}, not ${wanted}\n${errors}`)
}

const prepare = async (version: string): Promise<string> => {
  const folder = join(work, version)
  await cp(join(here, "app"), folder, { recursive: true })
  await cp(join(here, "releases", version), folder, { recursive: true })
  return folder
}

const deploy = async (version: string, wanted = 0) =>
  run(
    ["deploy", "--version", version, "--artifact", await prepare(version), "--correlation-id", `demo-${version}`],
    wanted
  )

const load = new Load(port, perSecond)
const startedAt = Date.now()
let summary: Summary | undefined
try {
  say("Three services that depend on each other: inventory ← api ← web. Version 1 comes in.")
  await run(["init"], 0)
  await deploy("v1")

  say(`From now on ${perSecond} requests a second. Version 2 comes in as a canary: 10 %, 50 %, 100 %.`)
  load.start()
  await deploy("v2")

  say("Version 3 has a bug. Watch its gate.")
  await deploy("v3", 3)
  await load.stop()
  summary = summarize(load, {
    maxErrorCount: 10,
    candidate: "v3",
    stable: "v2",
    seconds: (Date.now() - startedAt) / 1_000
  })
} finally {
  await load.stop()
  if (keep && summary !== undefined) {
    say(`It keeps running on http://127.0.0.1:${port}. Its folder: ${work}`)
  } else {
    await run(["destroy", "--yes"], 0).catch((error: unknown) => console.error(error))
    await rm(work, { recursive: true, force: true })
  }
}
process.stdout.write(json ? `${JSON.stringify(summary)}\n` : tell(summary, keep ? { port, work, env } : undefined))
process.exitCode = summary.dropped === 0 && summary.connectionErrors === 0 && summary.stableAgain ? 0 : 1
