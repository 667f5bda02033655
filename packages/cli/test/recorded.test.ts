/**
 * Going back, and looking, by what was recorded: the real program, with real processes behind the local provider, and a
 * configuration that a commit has broken, moved or taken away.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { type Ran, temporary } from "./support.ts"

const id = "DX6604E"
const server = `
import { createServer } from "node:http"
createServer((request, response) => response.end(process.env.SIGNALBOX_VERSION)).listen(process.env.PORT)
`
const gate = { gracePeriod: "0 millis", interval: "50 millis", consecutivePasses: 1, minSamples: 0 }
const configured = (name: string, more: object = {}) => ({
  organization: "acme",
  project: "shop",
  environments: { production: {} },
  leaseTtl: "3 seconds",
  stacks: [
    {
      name,
      provider: "local",
      gate,
      properties: {
        artifact: "app",
        command: ["node", "server.mjs"],
        readiness: { timeout: "10 seconds", interval: "50 millis" }
      },
      ...more
    }
  ]
})

let binary: Binary
let cwd: string
beforeAll(() => {
  binary = build()
}, 120_000)
afterAll(() => binary.remove())
beforeEach(async () => {
  cwd = temporary("recorded")
  Fs.mkdirSync(Path.join(cwd, "app"))
  Fs.writeFileSync(Path.join(cwd, "app", "server.mjs"), server)
  write(configured("web"))
  await run("init", "--id", id)
  for (const version of ["v1", "v2"]) expectExit(await run("deploy", "--version", version), 0)
}, 120_000)
afterEach(async () => {
  await run("destroy", "--yes")
  Fs.rmSync(cwd, { recursive: true, force: true, maxRetries: 5 })
}, 120_000)

const file = () => Path.join(cwd, "signalbox.config.json")
const write = (value: unknown) => Fs.writeFileSync(file(), typeof value === "string" ? value : JSON.stringify(value))
const run = (...args: ReadonlyArray<string>) => binary.run(cwd, args)
const expectExit = (ran: Ran, code: number): Ran => {
  assert.strictEqual(ran.code, code, `${ran.stdout}\n${ran.stderr}`)
  return ran
}
const json = async (...args: ReadonlyArray<string>) => {
  const ran = await run(...args, "--json")
  return { ...ran, value: JSON.parse(ran.stdout || "null") }
}
const stacks = async () =>
  (await json("status")).value.stacks.map(
    ({ name, release, status }: any) => `${name} ${status}${release === null ? "" : ` ${release.version}`}`
  )
const serves = async (): Promise<string> => {
  const { stacks } = (await json("status")).value
  return (await fetch(stacks.find(({ outputs }: any) => outputs.url !== undefined).outputs.url)).text()
}

const broken = [
  ["with a comma too many", () => write('{ ,"organization": "acme" }'), true],
  ["with a property of a wrong type", () => write(configured("web", { properties: { command: "two" } })), true],
  ["that is gone", () => Fs.rmSync(file()), false]
] as const

describe("a configuration", { timeout: 120_000 }, () => {
  it.each(broken)("%s stops nobody who looks, holds the lock, goes back or destroys", async (_, breakIt, warns) => {
    breakIt()
    const said = /^warning: .*signalbox\.config\.json.*\nhint: {4}What was recorded is used instead/m
    for (const args of [
      ["status"],
      ["history"],
      ["health"],
      ["veto", "v9", "--reason", "x"],
      ["lock", "hold", "--reason", "x"],
      ["lock", "release", "--reason", "x"],
      ["can-deploy", "--kind", "rollback"],
      ["rollback", "--dry-run"],
      ["rollback"]
    ]) {
      const ran = expectExit(await run(...args), 0)
      const reads = !["status", "history", "veto"].includes(args[0]!)
      assert.strictEqual(said.test(ran.stderr), warns && reads, `${args.join(" ")}: ${ran.stderr}`)
    }
    assert.strictEqual(await serves(), "v1")
    // What comes in is a matter of the configuration.
    assert.strictEqual((await run("deploy", "--version", "v3")).code, 64)
    assert.strictEqual((await run("can-deploy")).code, warns ? 64 : 0)
    const away = await json("destroy", "--yes")
    expectExit(away, 0)
    assert.deepEqual(away.stderr === "" ? [] : Object.keys(JSON.parse(away.stderr)), warns ? ["warning"] : [])
    assert.deepEqual(await stacks(), ["web destroyed"])
  })

  it("that names other stacks does not keep the old ones from going back, or from being destroyed", async () => {
    write(configured("site"))
    expectExit(await run("rollback"), 0)
    assert.deepEqual(await stacks(), ["web deployed v1"])
    assert.strictEqual(await serves(), "v1")
    expectExit(await run("destroy", "--yes"), 0)
    assert.deepEqual(await stacks(), ["web destroyed"])
  })

  it("that names other stacks is deployed with a word on those that run on, and how to take them away", async () => {
    write(configured("site"))
    const planned = await json("deploy", "--version", "v3", "--dry-run")
    assert.deepEqual(planned.value.droppedStacks, [{ name: "web", version: "v2" }])
    const { stderr } = expectExit(await run("deploy", "--version", "v3"), 0)
    assert.match(stderr, /^warning: web is not in the configuration any more and is still deployed \(v2\)/m)
    const [, hint = ""] = /^hint: {4}Take it away with: signalbox (.*)$/m.exec(stderr) ?? []
    assert.deepEqual((await json("deploy", "--version", "v4")).value.droppedStacks, [{ name: "web", version: "v2" }])
    expectExit(await run(...hint.split(" "), "--yes"), 0)
    assert.deepEqual(await stacks(), ["web destroyed", "site deployed v4"])
    assert.deepEqual((await json("deploy", "--version", "v5")).value.droppedStacks, [])
    // And back again: what is destroyed is all that is there, not what the configuration names.
    write(configured("web"))
    expectExit(await run("destroy", "--yes"), 0)
    assert.deepEqual(await stacks(), ["web destroyed", "site destroyed"])
  })

  it("that is broken where nothing was recorded is an error", async () => {
    expectExit(await run("destroy", "--yes"), 0)
    const other = temporary("recorded-none")
    write(configured("web"))
    Fs.copyFileSync(file(), Path.join(other, "signalbox.config.json"))
    await binary.run(other, ["init", "--id", "D000001"])
    Fs.writeFileSync(Path.join(other, "signalbox.config.json"), "{")
    for (const kind of ["rollback", "destroy"]) {
      const ran = await binary.run(other, [kind, "--yes"])
      assert.strictEqual(ran.code, 64, ran.stderr)
      assert.match(ran.stderr, /^error: .*the JSON ends too early/m)
    }
    Fs.rmSync(other, { recursive: true, force: true })
  })
})

describe("a deployment that Ctrl-C stopped", { timeout: 120_000 }, () => {
  it("shows what serves beside what was coming, and is no failure once another one takes its place", async () => {
    write(configured("web", { strategy: { type: "canary", steps: [{ weight: 50, bake: "10 minutes" }] } }))
    const stopped = await binary.run(cwd, ["deploy", "--version", "v3", "--correlation-id", "stopped"], {
      signals: [[/50% of the traffic/, "SIGINT"]]
    })
    assert.strictEqual(stopped.code, 130, stopped.stderr)
    const { stdout } = await run("status")
    assert.match(stdout, /^web .* v2 → v3 \(50 %\) .* http:\/\/127\.0\.0\.1:\d+$/m)
    const [stack] = (await json("status")).value.stacks
    assert.deepEqual(
      [stack.release.version, stack.candidate.version, stack.candidateTraffic, typeof stack.outputs.url],
      ["v2", "v3", 50, "string"]
    )

    write(configured("web"))
    expectExit(await run("deploy", "--version", "v4", "--correlation-id", "next"), 0)
    const [next, first] = (await json("history", "--limit", "2")).value.executions
    assert.deepEqual(
      [next.status, first.correlationId, first.status, first.error.code],
      ["completed", "stopped", "cancelled", "superseded"]
    )
    const { value } = await json("metrics")
    assert.deepEqual([value.failed, value.cancelled, value.successRate], [0, 1, 1])
    const after = (await json("status")).value.stacks[0]
    assert.deepEqual([after.release.version, after.candidate], ["v4", null])
  })
})
