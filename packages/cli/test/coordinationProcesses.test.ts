import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { errorOf, expectExit, gate, id } from "./coordinating.ts"
import { listing, temporary } from "./support.ts"

describe("coordination between processes", () => {
  let binary: Binary
  let folder: string
  beforeAll(() => {
    binary = build()
    folder = temporary("coordination-binary")
  })
  afterAll(() => {
    Fs.rmSync(folder, { recursive: true, force: true })
  })

  const nowhere = { SIGNALBOX_DATABASE_URL: "postgres://nobody:none@127.0.0.1:1/nothing" }

  it("asking leaves nothing behind, with a configuration or without", async () => {
    const before = listing(folder)
    expectExit(await binary.run(folder, ["can-deploy"]), 0)
    expectExit(await binary.run(folder, ["lock", "show"]), 0)
    expectExit(await binary.run(folder, ["cleanup", "nothing"]), 0)
    assert.deepEqual(listing(folder), before)
  })

  it("blocks a named deployment that does not exist", async () => {
    const empty = Fs.mkdtempSync(Path.join(folder, "empty-"))
    const configured = Fs.mkdtempSync(Path.join(folder, "never-"))
    const stacks = [{ name: "web", provider: "local", properties: { command: ["node", "x.mjs"], port: 0 } }]
    const file = JSON.stringify({ organization: "a", project: "b", environments: { production: {} }, stacks })
    Fs.writeFileSync(Path.join(configured, "signalbox.config.json"), file)
    for (const job of [empty, configured]) {
      for (const asked of ["can-deploy", "wait"]) {
        const ran = expectExit(await binary.run(job, [asked, id, "--environment", "production", "--json"]), 4)
        assert.deepEqual([ran.stdout, errorOf(ran).code], ["", "no_state"])
      }
    }
    // Another one exists, and that one does not.
    expectExit(await binary.run(configured, ["init"]), 0)
    const ran = expectExit(await binary.run(configured, ["can-deploy", id, "--json"]), 4)
    assert.strictEqual(errorOf(ran).code, "unknown_deployment")
  })

  it("a project without a configuration gets every environment that it is run in", async () => {
    const job = Fs.mkdtempSync(Path.join(folder, "environments-"))
    const run = (...argv: ReadonlyArray<string>) => binary.run(job, argv)
    const command = ["--", "node", "-e", "0"]
    expectExit(await run("run", "--environment", "production", ...command), 0)
    // If there is only one, it is meant.
    expectExit(await run("run", ...command), 0)
    expectExit(await run("run", "--environment", "staging", ...command), 0)
    expectExit(await run("register", "--environment", "preview", "--correlation-id", "one"), 0)
    expectExit(await run("lock", "hold", "--environment", "canary", "--reason", "moving"), 0)
    const { environments } = JSON.parse((await run("info", "--json")).stdout)
    assert.deepEqual(
      environments.map(({ name }: { readonly name: string }) => name),
      ["production", "staging", "preview", "canary"]
    )
    const ambiguous = expectExit(await run("run", ...command), 64)
    assert.match(ambiguous.stderr, /which environment\?[^]*production \| staging/)
    const other = JSON.parse((await run("list", "--json")).stdout).deployments[0].deploymentId
    expectExit(await run("run", "--deployment", other, "--environment", "prodution", ...command), 64)
  })

  it("an answer without the store is degraded; without providers there is none", async () => {
    expectExit(await binary.run(folder, ["can-deploy"], { env: nowhere }), 6)
    const configured = Fs.mkdtempSync(Path.join(folder, "configured-"))
    const stacks = [
      { name: "web", provider: "local", properties: { command: ["node", "x.mjs"], artifact: ".", port: 0 } }
    ]
    const file = JSON.stringify({ organization: "a", project: "b", environments: { production: {} }, stacks })
    Fs.writeFileSync(Path.join(configured, "signalbox.config.json"), file)
    const ran = expectExit(await binary.run(configured, ["can-deploy", id, "--json"], { env: nowhere }), 0)
    const { canDeploy, degraded, degradedReason } = JSON.parse(ran.stdout)
    assert.deepEqual([canDeploy, degraded], [true, true])
    assert.include(degradedReason, "ECONNREFUSED")
    expectExit(await binary.run(configured, ["wait", id, "--timeout", "20s"], { env: nowhere }), 0)
  })

  it("an address that is wrong is not taken for an outage", async () => {
    const configured = Fs.mkdtempSync(Path.join(folder, "mistyped-"))
    const stacks = [{ name: "web", provider: "local", properties: { command: ["node", "x.mjs"], port: 0 } }]
    const file = JSON.stringify({ organization: "a", project: "b", environments: { production: {} }, stacks })
    Fs.writeFileSync(Path.join(configured, "signalbox.config.json"), file)
    const noUser = { USER: "", USERNAME: "" }
    for (const url of ["nonsense", "mysql://ada@localhost/x", "postgres://localhost/x"]) {
      const env = { SIGNALBOX_DATABASE_URL: url, ...noUser }
      for (const argv of [["can-deploy"], ["wait"], ["run", "--degraded", "--json", "--", "touch", "done"]]) {
        const [command = "", ...rest] = argv
        const named = command === "run" ? ["--deployment", id, ...rest] : [id, "--json"]
        const ran = expectExit(await binary.run(configured, [command, ...named], { env }), 64)
        assert.strictEqual(errorOf(ran).code, "store_misconfigured")
      }
    }
    assert.isFalse(Fs.existsSync(Path.join(configured, "done")))
  })

  it("Ctrl-C keeps the place, and the turn is kept for another process", async () => {
    const job = Fs.mkdtempSync(Path.join(folder, "job-"))
    const run = (...argv: ReadonlyArray<string>) => binary.run(job, argv)
    expectExit(await run("lock", "hold", "--reason", "moving"), 0)
    expectExit(await run("register", "--correlation-id", "one"), 0)
    const stopped = await binary.run(job, ["wait", "one", "--interval", "200ms"], {
      signals: [[/in the queue/, "SIGINT"]]
    })
    expectExit(stopped, 130)
    assert.match(stopped.stderr, /its place is kept; withdraw it with: signalbox cleanup one/)
    assert.match((await run("lock", "show")).stdout, /– +one +run .*no process is waiting with it/)
    assert.match((await run("active")).stdout, /one is registered, and no process waits with it: signalbox wait one/)
    expectExit(await run("lock", "release", "--reason", "moved"), 0)
    expectExit(await run("wait", "one", "--hold", "1m"), 0)
    const blocked = expectExit(await run("can-deploy", "--json"), 2)
    assert.strictEqual(JSON.parse(blocked.stdout).blockers[0].who, "one")
    const ran = expectExit(await run("run", "--correlation-id", "one", "--", "node", "-e", "0"), 0)
    assert.notInclude(ran.stderr, "error")
    expectExit(await run("can-deploy"), 0)
  })

  it("a deployment in the background waits for its admission", async () => {
    const job = Fs.mkdtempSync(Path.join(folder, "background-"))
    const run = (...argv: ReadonlyArray<string>) => binary.run(job, argv)
    const server = `import { createServer } from "node:http"; createServer((_, to) => to.end("ok")).listen(process.env.PORT)`
    Fs.mkdirSync(Path.join(job, "app"))
    Fs.writeFileSync(Path.join(job, "app", "server.mjs"), server)
    const properties = { command: ["node", "server.mjs"], artifact: "app", port: 0 }
    const stacks = [{ name: "web", provider: "local", gate, properties }]
    const file = { organization: "a", project: "b", environments: { production: {} }, stacks }
    Fs.writeFileSync(Path.join(job, "signalbox.config.json"), JSON.stringify(file))
    expectExit(await run("init"), 0)
    expectExit(await run("lock", "hold", "--reason", "moving"), 0)
    const argv = ["--detach", "--queue", "fifo", "--correlation-id", "later", "--version", "v1"]
    expectExit(await run("deploy", ...argv), 0)
    // Until it has come, `attach` carries it on instead.
    for (let look = 0; look < 60; look++) {
      const { executions } = JSON.parse((await run("active", "--json")).stdout)
      if (executions[0]?.runner !== null) break
    }
    const attached = await binary.run(job, ["attach", "later"], { signals: [[/production is locked by/, "SIGINT"]] })
    assert.match(attached.stderr, /1st in the queue, no request before it; production is locked by .*: moving/)
    expectExit(await run("lock", "release", "--reason", "moved"), 0)
    assert.match(expectExit(await run("attach", "later"), 0).stdout, /^✔ deploy .* production v1: completed/)
    expectExit(await run("destroy", "--yes"), 0)
  })

  it("a lease whose process was killed is shown with when it ends", async () => {
    const job = Fs.mkdtempSync(Path.join(folder, "killed-"))
    const run = (...argv: ReadonlyArray<string>) => binary.run(job, argv)
    expectExit(await run("register", "--correlation-id", "one"), 0)
    expectExit(await run("wait", "one", "--hold", "30s"), 0)
    const shown = expectExit(await run("lock", "show"), 0)
    assert.match(shown.stdout, /no process of it is left; the lease ends in \d+s/)
    const why = expectExit(await run("can-deploy", "--explain"), 2)
    assert.match(why.stdout, /its process is gone, and the lease expires in \d+s/)
    expectExit(await run("cleanup", "one"), 0)
    expectExit(await run("can-deploy"), 0)
  })
})
