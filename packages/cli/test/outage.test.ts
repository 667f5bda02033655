/**
 * `signalbox run` while the connection to its Postgres is cut. Skipped with a message if Postgres is not installed.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, it } from "vitest"
import { type Postgres, startPostgres } from "../../node/test/support/postgres.ts"
import { type Binary, build } from "./binary.ts"
import { type Cable, cableTo } from "./cable.ts"
import { until } from "./chaos/processes.ts"
import { expectExit } from "./coordinating.ts"
import { type Running, start } from "./running.ts"
import { temporary } from "./support.ts"

const postgres: Postgres | undefined = await startPostgres()

describe.skipIf(postgres === undefined)("an outage of the store", () => {
  let binary: Binary
  let cable: Cable
  let folder: string
  let direct: Readonly<Record<string, string>>
  let through: Readonly<Record<string, string>>
  const running: Array<Running> = []
  beforeAll(() => void (binary = build()))
  afterAll(async () => {
    await postgres?.stop()
  })
  beforeEach(async () => {
    folder = temporary("outage")
    const url = new URL(postgres!.database())
    cable = await cableTo(Number(url.port))
    direct = { SIGNALBOX_DATABASE_URL: url.href, GITHUB_REPOSITORY: "acme/shop" }
    url.port = `${cable.port}`
    through = { SIGNALBOX_DATABASE_URL: url.href, GITHUB_REPOSITORY: "acme/shop" }
  })
  afterEach(async () => {
    for (const { child } of running.splice(0)) child.kill("SIGKILL")
    await cable.remove()
    Fs.rmSync(folder, { recursive: true, force: true })
  })

  const job = (name: string): string => {
    const path = Path.join(folder, name)
    Fs.mkdirSync(path)
    return path
  }
  /** A job whose lease is longer than an outage lasts here, however slow the machine is. */
  const configured = (name: string): string => {
    const path = job(name)
    const properties = { command: ["node", "x.mjs"], artifact: ".", port: 0 }
    const config = {
      organization: "acme",
      project: "shop",
      environments: { production: {} },
      leaseTtl: "10 minutes",
      stacks: [{ name: "web", provider: "local", properties }]
    }
    Fs.writeFileSync(Path.join(path, "signalbox.config.json"), JSON.stringify(config))
    return path
  }
  const started = (cwd: string, args: ReadonlyArray<string>, env: Readonly<Record<string, string>>): Running => {
    const one = start(binary, cwd, args, env)
    running.push(one)
    return one
  }
  /** Writes to a file every 50 ms that it is alive. */
  const alive = (file: string) => `
    const { writeFileSync } = require("node:fs")
    console.log("at work")
    setInterval(() => writeFileSync(${JSON.stringify(file)}, String(Date.now())), 50)`

  it("is sat out by running and waiting commands if it is shorter than the lease", async () => {
    const file = Path.join(folder, "go")
    const work = `while [ ! -e ${file} ]; do echo at work; sleep 0.1; done; echo done`
    const one = configured("one")
    expectExit(await binary.run(one, ["init"], { env: through }), 0)
    const two = Path.join(folder, "two")
    Fs.cpSync(one, two, { recursive: true })
    const first = started(one, ["run", "--", "sh", "-c", work], through)
    await first.says(/at work/)
    const second = started(two, ["run", "--", "echo", "at last"], through)
    await second.says(/waiting/)
    cable.cut()
    await second.says(/degraded: it waits on without the store/)
    cable.mend()
    Fs.writeFileSync(file, "")
    const ended = await first.ended
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.match(ended.stdout, /done\n$/)
    assert.deepInclude(await second.ended, { code: 0, stdout: "at last\n" })
  })

  it("is reported to read-only commands", async () => {
    cable.cut()
    expectExit(await binary.run(job("asks"), ["can-deploy"], { env: through }), 6)
  })

  it("never lets two commands run: a disconnected one has ended before the next one begins", async () => {
    const file = Path.join(folder, "alive")
    const first = started(job("one"), ["run", "--", "node", "-e", alive(file)], through)
    await first.says(/at work/)
    const begun = `console.log("begun " + Date.now())`
    const second = started(job("two"), ["run", "--", "node", "-e", begun], direct)
    await second.says(/waiting/)
    cable.cut()
    const { code, stdout, stderr } = await second.ended
    assert.strictEqual(code, 0, stderr)
    const [, at] = /begun (\d+)/.exec(stdout)!
    assert.isBelow(Number(Fs.readFileSync(file, "utf8")), Number(at))
    const cutOff = await first.ended
    assert.strictEqual(cutOff.code, 6)
    assert.match(cutOff.stderr, /^error: the lease could not be renewed in time, and the work under it was stopped: /m)
    const [, hinted = ""] = /^hint: .* close it with: signalbox (.+)$/m.exec(cutOff.stderr)!
    assert.include(expectExit(await binary.run(job("three"), hinted.split(" "), { env: direct }), 0).stdout, "failed")
  })

  it("ends a command with its lease, and the program too, if the connection only falls silent", async () => {
    const first = started(job("one"), ["run", "--", "node", "-e", alive(Path.join(folder, "alive"))], through)
    await first.says(/at work/)
    cable.silence()
    const { code, stderr } = await first.ended
    assert.strictEqual(code, 6, stderr)
    assert.match(stderr, /^error: the lease could not be renewed in time, and the work under it was stopped: /m)
  })

  it("is sat out by a deployment and its watchers", async () => {
    const cwd = job("one")
    expectExit(await binary.run(cwd, ["init", "--example"], { env: through }), 0)
    const file = Path.join(cwd, "signalbox.config.ts")
    const example = Fs.readFileSync(file, "utf8").replace("  stacks:", `  leaseTtl: "10 minutes",\n  stacks:`)
    Fs.writeFileSync(file, example)
    expectExit(await binary.run(cwd, ["deploy", "--version", "v1"], { env: through }), 0)
    // It lasts until it is promoted, however slow the machine is.
    Fs.writeFileSync(file, example.replace(`bake: "3 seconds"`, `bake: "1 hour"`))
    try {
      const deploying = started(cwd, ["deploy", "--version", "v2", "--correlation-id", "second"], through)
      await deploying.says(/web: pass, blue_green/)
      const watching = started(cwd, ["watch"], through)
      await watching.says(/blue_green/)
      cable.cut()
      await watching.says(/the store is away, and asked again until it is back/)
      cable.mend()
      await watching.says(/the store is back/)
      expectExit(await binary.run(cwd, ["promote", "second"], { env: through }), 0)
      const [deployed, watched] = await Promise.all([deploying.ended, watching.ended])
      assert.deepEqual([deployed.code, watched.code], [0, 0], `${deployed.stderr}${watched.stderr}`)
      assert.notMatch(deployed.stderr, /WARN|^error/m)
    } finally {
      expectExit(await binary.run(cwd, ["destroy", "--yes"], { env: through }), 0)
    }
  })

  it("is reported to queries, and work without a lease is recorded when it is over", async () => {
    const cwd = configured("one")
    const run = (...argv: ReadonlyArray<string>) => binary.run(cwd, argv, { env: through })
    expectExit(await run("init"), 0)
    cable.cut()
    const { canDeploy, degraded } = JSON.parse(expectExit(await run("can-deploy", "--json"), 0).stdout)
    assert.deepEqual([canDeploy, degraded], [true, true])
    expectExit(await run("run", "--", "true"), 6)
    const argv = ["--degraded", "--correlation-id", "alone", "--reason", "no route", "--", "echo", "anyway"]
    assert.include(expectExit(await run("run", ...argv), 0).stdout, "anyway")
    const kept = Path.join(cwd, ".signalbox", "degraded")
    assert.isTrue(await until(() => Fs.readdirSync(kept).length === 1))
    cable.mend()
    assert.include(expectExit(await run("list"), 0).stderr, "alone")
    const { executions } = JSON.parse(expectExit(await run("history", "--json"), 0).stdout)
    assert.deepEqual(
      executions.map(({ correlationId, status }: Readonly<Record<string, string>>) => [correlationId, status]),
      [["alone", "completed"]]
    )
    assert.deepEqual(Fs.readdirSync(kept), [])
  })
})
