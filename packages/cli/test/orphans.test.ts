/**
 * A folder whose store was deleted, damaged or replaced while its applications run: every hint is followed to the end.
 */
import { createHash } from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { isAlive, marked, naming, signal, until } from "./chaos/processes.ts"
import { temporary } from "./support.ts"

let binary: Binary
const folders: Array<string> = []
beforeAll(() => {
  binary = build()
})
afterAll(() => {
  for (const folder of folders) {
    const owner = createHash("sha256").update(Path.join(folder, ".signalbox")).digest("hex").slice(0, 16)
    // Watchdogs before their supervisors, and what both would start again last.
    for (const { pid } of naming(folder).toSorted((a, b) => b.pid - a.pid)) signal(pid, "SIGKILL")
    for (const { pid } of marked(owner)) signal(pid, "SIGKILL")
    Fs.rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
})

const gate = { minSamples: 0, gracePeriod: "0 millis", interval: "50 millis", consecutivePasses: 1 }
const server = `import { createServer } from "node:http"
createServer((_, response) => response.end(process.env.SIGNALBOX_VERSION)).listen(Number(process.env.PORT), "127.0.0.1")`

/** A folder with a deployment that had these `versions`. */
const deployed = async (...versions: ReadonlyArray<string>) => {
  const cwd = temporary("orphans")
  folders.push(cwd)
  Fs.mkdirSync(Path.join(cwd, "app"))
  Fs.writeFileSync(Path.join(cwd, "app", "server.mjs"), server)
  Fs.writeFileSync(
    Path.join(cwd, "signalbox.config.json"),
    JSON.stringify({
      organization: "acme",
      project: "orphans",
      environments: { production: {} },
      stacks: [
        {
          name: "web",
          provider: "local",
          strategy: { type: "canary", steps: [{ weight: 20, bake: "0 millis" }] },
          gate,
          properties: { artifact: "./app", command: ["node", "server.mjs"] }
        }
      ]
    })
  )
  const run = (...args: ReadonlyArray<string>) => binary.run(cwd, args)
  const json = async (...args: ReadonlyArray<string>) => {
    const { stderr, stdout } = await run(...args, "--json")
    return JSON.parse(stdout === "" ? stderr : stdout)
  }
  assert.strictEqual((await run("init")).code, 0)
  for (const version of versions) {
    const { code, stderr } = await run("deploy", "--version", version)
    assert.strictEqual(code, 0, stderr)
  }
  const { url } = (await json("status")).stacks[0].outputs
  const served = () =>
    fetch(url).then(
      (response) => response.text(),
      () => undefined
    )
  assert.strictEqual(await served(), versions.at(-1))
  const store = Path.join(cwd, ".signalbox", "signalbox.db")
  const drop = () => {
    for (const end of ["", "-wal", "-shm"]) Fs.rmSync(`${store}${end}`, { force: true })
  }
  const supervisors = () => naming(cwd).filter(({ command }) => command.includes("__supervisor"))
  return { cwd, run, json, served, url, store, drop, supervisors }
}

const next = "signalbox destroy --orphans"

describe.skipIf(process.platform !== "linux")("what a store that is gone left running", () => {
  it("is listed and stopped after it was deleted, whatever deployment is made in its place", async () => {
    const { drop, json, store, run, served, supervisors } = await deployed("v1", "v2")
    const known = await json("destroy", "--orphans")
    assert.deepStrictEqual([known.store, known.orphans], ["readable", []])

    drop()
    const listed = await json("destroy", "--orphans")
    assert.strictEqual(listed.store, "missing")
    assert.deepStrictEqual(
      listed.orphans.map(({ stack, version }: any) => [stack, version]),
      [["web", "v2"]]
    )
    assert.strictEqual(listed.orphans[0].pids.length, 1)
    assert.isFalse(Fs.existsSync(store), "a list makes no store")
    assert.strictEqual(await served(), "v2")

    // The new store has the id of the old one, which its supervisor remembers.
    assert.strictEqual((await run("init")).code, 0)
    const refused = await run("deploy", "--version", "v3", "--json")
    assert.strictEqual(refused.code, 1)
    const { error } = JSON.parse(refused.stdout)
    assert.strictEqual(error.code, "store_replaced")
    assert.include(error.message, "the store that issued it was deleted or replaced")
    assert.include(error.hint, next)
    assert.strictEqual(await served(), "v2", "nothing was changed")

    const stopped = await run("destroy", "--orphans", "--yes")
    assert.strictEqual(stopped.code, 0, stopped.stderr)
    assert.include(stopped.stdout, "web: stopped v2")
    assert.isUndefined(await served())
    assert.isTrue(await until(() => supervisors().length === 0))
    assert.deepStrictEqual((await json("destroy", "--orphans", "--yes")).orphans, [])
    const again = await run("deploy", "--version", "v3")
    assert.strictEqual(again.code, 0, again.stderr)
  })

  it("is listed and stopped while it cannot be read", async () => {
    const { drop, json, store, run, served } = await deployed("v1")
    drop()
    Fs.writeFileSync(store, "this was a database once, and is none any more".repeat(100))
    const status = await run("status")
    assert.strictEqual(status.code, 6)
    assert.include(status.stderr, next)
    const listed = await run("destroy", "--orphans")
    assert.strictEqual(listed.code, 0, listed.stderr)
    assert.include(listed.stdout, "the store cannot be read")
    assert.include(listed.stdout, `${next} --yes`)
    assert.strictEqual(await served(), "v1")
    const stopped = await json("destroy", "--orphans", "--yes")
    assert.deepStrictEqual([stopped.store, stopped.stopped], ["damaged", true])
    assert.isUndefined(await served())
  })

  it("leaves fences behind where all was destroyed, and those are forgotten", async () => {
    const { drop, json, run } = await deployed("v1")
    assert.strictEqual((await run("destroy", "--yes")).code, 0)
    drop()
    assert.strictEqual((await run("init")).code, 0)
    const refused = await json("deploy", "--version", "v2")
    assert.strictEqual(refused.error.code, "store_replaced")
    const listed = await run("destroy", "--orphans")
    assert.include(listed.stdout, "Nothing is left of")
    const { forgotten, orphans } = await json("destroy", "--orphans", "--yes")
    assert.deepStrictEqual([forgotten.length, orphans.length], [1, 0])
    assert.strictEqual((await run("deploy", "--version", "v2")).code, 0)
  })

  it("is no matter of one deployment", async () => {
    const { run, served } = await deployed("v1")
    for (const more of [["DX6604E"], ["--confirm", "web"], ["--queue", "fifo"], ["--detach"]]) {
      const { code, stderr } = await run("destroy", "--orphans", "--yes", ...more)
      assert.strictEqual(code, 64, stderr)
    }
    const dry = await run("destroy", "--orphans", "--yes", "--dry-run")
    assert.strictEqual(dry.code, 0, dry.stderr)
    assert.strictEqual(await served(), "v1")
  })

  it("comes back after a restart of the machine by deploying the same version, in one step", async () => {
    const { json, run, served, supervisors, cwd } = await deployed("v1")
    // Supervisor and watchdog; neither sees the other die.
    const both = supervisors().map(({ pid }) => pid)
    for (const pid of both) signal(pid, "SIGSTOP")
    for (const pid of both) signal(pid, "SIGKILL")
    const state = JSON.parse(Fs.readFileSync(Path.join(cwd, ".signalbox", "local", "state.json"), "utf8"))
    const instances = Object.values<any>(state.stacks).flatMap((stack) => stack.instances.map(({ pid }: any) => pid))
    for (const pid of instances) signal(pid, "SIGKILL")
    assert.isTrue(await until(() => ![...both, ...instances].some(isAlive)))
    for (const ask of [["health"], ["status"], ["can-deploy", "--version", "v1"], ["monitor", "--once"]])
      await run(...ask)
    await run("deploy", "--version", "v1", "--dry-run")
    assert.deepStrictEqual(supervisors(), [])
    const health = await json("health")
    assert.include(health.stacks[0].reason, "its supervisor does not run")
    const { code, stderr } = await run("deploy", "--version", "v1")
    assert.strictEqual(code, 0, stderr)
    assert.strictEqual(await served(), "v1")
  })
})
