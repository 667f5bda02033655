/**
 * Rolling back and looking by the record: the real program, with real processes behind the local provider, and a
 * configuration that a commit has broken, moved or removed.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterEach, assert, beforeAll, beforeEach, describe, it } from "vitest"
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
})
beforeEach(async () => {
  cwd = temporary("recorded")
  Fs.mkdirSync(Path.join(cwd, "app"))
  Fs.writeFileSync(Path.join(cwd, "app", "server.mjs"), server)
  write(configured("web"))
  await run("init", "--id", id)
  for (const version of ["v1", "v2"]) expectExit(await run("deploy", "--version", version), 0)
})
afterEach(async () => {
  await run("destroy", "--yes")
  Fs.rmSync(cwd, { recursive: true, force: true, maxRetries: 5 })
})

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

describe("a configuration", () => {
  it("that is broken, or names other stacks, does not prevent rolling back or destroying", async () => {
    write('{ ,"organization": "acme" }')
    const back = expectExit(await run("rollback"), 0)
    assert.match(
      back.stderr,
      /^warning: .*signalbox\.config\.json:1:3: the JSON is not valid\nhint: {4}What was recorded/m
    )
    assert.strictEqual(await serves(), "v1")

    write(configured("site"))
    const { stderr } = expectExit(await run("deploy", "--version", "v3"), 0)
    assert.match(stderr, /^warning: web is not in the configuration any more and is still deployed \(v1\)/m)
    const [, hint = ""] = /^hint: {4}Take it away with: signalbox (.*)$/m.exec(stderr) ?? []
    expectExit(await run(...hint.split(" "), "--yes"), 0)
    assert.deepEqual(await stacks(), ["web destroyed", "site deployed v3"])

    // The deployed stacks are destroyed, not the configured ones.
    write(configured("web"))
    expectExit(await run("destroy", "--yes"), 0)
    assert.deepEqual(await stacks(), ["web destroyed", "site destroyed"])
  })
})

describe("a deployment that Ctrl-C stopped", () => {
  it("shows the live release beside the candidate, and is no failure once another one replaces it", async () => {
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
