/**
 * A project with a deployment, in a folder of its own with its stores in memory, and command lines that run there.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterEach, assert, beforeEach } from "vitest"
import type { Backend } from "../src/host/Host.ts"
import { memoryBackend, type Ran, runWith, temporary } from "./support.ts"

export const id = "DX6604E"
export const gate = { gracePeriod: "0 millis", interval: "20 millis", consecutivePasses: 1, minSamples: 1 }
export const config = {
  organization: "acme",
  project: "shop",
  environments: { production: {}, staging: {} },
  leaseTtl: "5 seconds",
  stacks: [{ name: "web", provider: "simulated", gate }]
}

interface Here {
  readonly cwd: string
  readonly world: Awaited<ReturnType<typeof memoryBackend>>
  /** What the command lines run on; a test may put another one in its place. */
  backend: Backend
}

/** The place of the running test. */
export let here: Here

/** Gives each test of a file a place of its own. */
export const coordinated = (): void => {
  beforeEach(async () => {
    const world = await memoryBackend()
    here = { cwd: temporary("coordination"), world, backend: world.backend }
    Fs.writeFileSync(Path.join(here.cwd, "signalbox.config.json"), JSON.stringify(config))
    expectExit(await run("init", "--id", id), 0)
    Fs.writeFileSync(Path.join(here.cwd, ".deployment-metadata.yaml"), `deployment_id: ${id}\n`)
  })
  afterEach(async () => {
    await here.world.close()
    Fs.rmSync(here.cwd, { recursive: true, force: true })
  })
}

// The stores are in memory; a database address says that there is no folder to look for.
export const env = { SIGNALBOX_DATABASE_URL: "memory:", SIGNALBOX_ACTOR: "ada", SIGNALBOX_ENVIRONMENT: "production" }
export const runIn = (more: Readonly<Record<string, string>>, ...argv: ReadonlyArray<string>) =>
  runWith(here.backend, here.cwd, argv, { env: { ...env, ...more } })
export const run = (...argv: ReadonlyArray<string>) => runIn({}, ...argv)
/** Starts a command line; `said` resolves when it has printed that. */
export const start = (...argv: ReadonlyArray<string>) => {
  let printed = ""
  const waiting: Array<{ readonly what: RegExp; readonly resolve: () => void }> = []
  const told = (text: string) => {
    printed += text
    for (const { resolve, what } of waiting) if (what.test(printed)) resolve()
  }
  const ended = runWith(here.backend, here.cwd, argv, { env, told })
  const said = (what: RegExp) =>
    Promise.race([
      new Promise<void>((resolve) => (what.test(printed) ? resolve() : waiting.push({ what, resolve }))),
      ended.then((ran) => assert.match(printed, what, JSON.stringify(ran)))
    ])
  return { ended, said }
}
export const json = async (...argv: ReadonlyArray<string>) => {
  const ran = await run(...argv, "--json")
  return { ...ran, value: JSON.parse(ran.stdout.trim().split("\n").at(-1) ?? "null") }
}
export const errorOf = ({ stderr }: Ran) => JSON.parse(stderr).error
export const expectExit = (ran: Ran, code: number): Ran => {
  assert.strictEqual(ran.code, code, `${ran.stdout}${ran.stderr}`)
  return ran
}
export const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

/** An execution that holds the lease until it is cleaned up. */
export const occupied = async (name: string) => {
  expectExit(await run("register", "--correlation-id", name, "--by", "bob"), 0)
  expectExit(await run("wait", name, "--hold", "10m"), 0)
}
