/**
 * The table of DESIGN §1, row by row, and what happens when the program is stopped: through the real binary, with real
 * processes behind the local provider and a constant load on them.
 */
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import { createServer } from "node:net"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { temporary } from "./support.ts"

const id = "DX6604E"
const gate = { gracePeriod: "0 millis", interval: "100 millis", consecutivePasses: 2, minSamples: 1 }

const server = `
import { createServer } from "node:http"
createServer((request, response) => response.end(process.env.SIGNALBOX_VERSION)).listen(process.env.PORT)
`

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
      .on("error", reject)
      .listen(0, "127.0.0.1", () => {
        const { port } = probe.address() as { readonly port: number }
        probe.close(() => resolve(port))
      })
  })

let binary: Binary
let cwd: string
let ports: Readonly<Record<"db" | "web", number>>
let load: ReturnType<typeof setInterval>

const stackOf = (name: "db" | "web", more: object = {}) => ({
  name,
  provider: "local",
  gate,
  properties: {
    command: ["node", "server.mjs"],
    artifact: "app",
    port: ports[name],
    readiness: { timeout: "1 minute", interval: "100 millis" }
  },
  ...more
})

const configure = (file: string, more: object = {}, strategy: object = { type: "all_at_once" }) =>
  Fs.writeFileSync(
    Path.join(cwd, file),
    JSON.stringify({
      organization: "acme",
      project: "shop",
      environments: {
        production: {},
        staging: { stacks: { db: { properties: { port: 0 } }, web: { properties: { port: 0 } } } }
      },
      leaseTtl: "30 seconds",
      stacks: [stackOf("db"), stackOf("web", { dependsOn: ["db"], strategy })],
      ...more
    })
  )

beforeAll(async () => {
  binary = build()
  cwd = temporary("deployment")
  ports = { db: await freePort(), web: await freePort() }
  for (const folder of ["app", "broken"]) Fs.mkdirSync(Path.join(cwd, folder))
  Fs.writeFileSync(Path.join(cwd, "app", "server.mjs"), server)
  Fs.writeFileSync(Path.join(cwd, "broken", "server.mjs"), "process.exit(3)")
  configure("signalbox.config.json")
  configure("partial.config.json", { rollback: false })
  configure("canary.config.json", {}, { type: "canary", steps: [{ weight: 50, bake: "4 seconds" }] })
  // Ends only because an operator acts, however long starting another command takes.
  configure("patient.config.json", {}, { type: "canary", steps: [{ weight: 50, bake: "1 hour" }] })
  load = setInterval(() => {
    for (const port of Object.values(ports))
      void fetch(`http://127.0.0.1:${port}/`)
        .then((response) => response.text())
        .catch(() => undefined)
  }, 20)
})

afterAll(async () => {
  for (const environment of ["production", "staging"]) {
    await binary.run(cwd, ["destroy", id, "-e", environment, "--yes"])
  }
  clearInterval(load)
  Fs.rmSync(cwd, { recursive: true, force: true })
})

const run = (...args: ReadonlyArray<string>) => binary.run(cwd, args)
const json = async (...args: ReadonlyArray<string>) => {
  const ran = await run(...args, "--json")
  assert.notStrictEqual(ran.stdout, "", `${args.join(" ")}: ${ran.stderr}`)
  return { code: ran.code, value: JSON.parse(ran.stdout) }
}
const statuses = async (environment = "production") => {
  const { value } = await json("status", id, "-e", environment)
  const listed = (await json("list", "-e", environment)).value.deployments[0].status
  assert.strictEqual(listed, value.status, "list and status agree on the deployment")
  return [
    value.status,
    ...value.stacks.map(
      ({ name, release, status }: any) => `${name} ${status}${release === null ? "" : ` ${release.version}`}`
    )
  ]
}
/** How an execution moved the deployment and its stacks. */
const moves = async (correlationId: string) => {
  const { value } = await json("events", correlationId)
  return {
    deployment: value.events
      .filter(({ type }: any) => type === "DeploymentTransitioned")
      .map(({ data }: any) => data.on),
    stacks: value.events
      .filter(({ type }: any) => type === "StackTransitioned")
      .map(({ data }: any) => `${data.stack} ${data.on}`)
  }
}

describe("which command touches which status", () => {
  it("init: initialized, no stack", async () => {
    const { code } = await json("init", "--id", id)
    assert.strictEqual(code, 0)
    assert.deepEqual(await statuses(), ["initialized", "db not_deployed", "web not_deployed"])
    const metadata = Fs.readFileSync(Path.join(cwd, ".deployment-metadata.yaml"), "utf8")
    assert.include(metadata, `deployment_id: ${id}`)
  })

  it("deploy of a broken first release: failed", async () => {
    const { code, value } = await json("deploy", "-e", "staging", "--version", "v0", "--artifact", "broken")
    assert.deepEqual([code, value.status], [3, "rolled_back"])
    assert.isNotEmpty(value.error.message)
    assert.strictEqual((await statuses("staging"))[0], "failed")
  })

  it("deploy: deploying → deployed, every stack", async () => {
    const { code, value } = await json("deploy", "-e", "production", "--version", "v1")
    assert.deepEqual([code, value.status], [0, "completed"], JSON.stringify(value.error))
    assert.deepEqual(await statuses(), ["deployed", "db deployed v1", "web deployed v1"])
    assert.deepEqual(await moves(value.correlationId), {
      deployment: ["deploy_started", "deploy_completed"],
      stacks: ["db deploy_started", "db deploy_completed", "web deploy_started", "web deploy_completed"]
    })
    assert.strictEqual(await (await fetch(`http://127.0.0.1:${ports.web}/`)).text(), "v1")
  })

  it("deploy-stack: never the deployment, only that stack", async () => {
    const { code, value } = await json("deploy-stack", id, "web", "-e", "production", "--version", "v2")
    assert.deepEqual([code, value.status], [0, "completed"], JSON.stringify(value.error))
    assert.deepEqual(await statuses(), ["deployed", "db deployed v1", "web deployed v2"])
    assert.deepEqual(await moves(value.correlationId), {
      deployment: [],
      stacks: ["web deploy_started", "web deploy_completed"]
    })
  })

  it("deploy of a broken release: rolled back, the deployment keeps its status", async () => {
    const { code, value } = await json("deploy", "-e", "production", "--version", "v3", "--artifact", "broken")
    assert.deepEqual([code, value.status], [3, "rolled_back"])
    assert.deepEqual(await statuses(), ["deployed", "db deployed v1", "web deployed v2"])
    const text = await run("attach", value.correlationId)
    assert.strictEqual(text.code, 3)
    assert.match(text.stdout, /rolled back.*\ncause: .*\n[^]*done: [^]*next: /)
  })

  it("destroy-stack: only that stack, never the deployment; status shows how the two differ", async () => {
    const { code, value } = await json("destroy-stack", id, "web", "-e", "production", "--yes")
    assert.deepEqual([code, value.status], [0, "completed"], JSON.stringify(value.error))
    assert.deepEqual(
      (await statuses()).map((one: string) => one.split(" ").slice(0, 2).join(" ")),
      ["deployed", "db deployed", "web destroyed"]
    )
    assert.deepEqual((await moves(value.correlationId)).deployment, [])
    assert.include((await run("status", "-e", "production")).stdout, "the deployment is deployed, but web is destroyed")
  })

  it("deploy without rollback, if one stack fails: partial, with the stack that caused it", async () => {
    Fs.cpSync(Path.join(cwd, "app"), Path.join(cwd, "half"), { recursive: true })
    Fs.writeFileSync(
      Path.join(cwd, "half", "server.mjs"),
      `if (process.env.SIGNALBOX_STACK === "web") process.exit(3)\n${server}`
    )
    const { code, value } = await json(
      "deploy",
      "-e",
      "production",
      "--version",
      "v4",
      "--artifact",
      "half",
      "--config",
      "partial.config.json"
    )
    assert.deepEqual([code, value.status], [1, "failed"])
    assert.deepEqual((await statuses()).slice(0, 2), ["partial", "db deployed v4"])
    assert.include((await run("status", "-e", "production")).stdout, "partial because of web")
    assert.deepEqual((await moves(value.correlationId)).deployment, ["deploy_started", "deploy_partial"])
  })

  it("destroy: destroying → destroyed, every stack", async () => {
    const { code, value } = await json("destroy", "-e", "production", "--confirm", id)
    assert.deepEqual([code, value.status], [0, "completed"], JSON.stringify(value.error))
    assert.deepEqual(
      (await statuses()).map((one: string) => one.split(" ").slice(0, 2).join(" ")),
      ["destroyed", "db destroyed", "web destroyed"]
    )
    assert.deepEqual((await moves(value.correlationId)).deployment, ["destroy_started", "destroy_completed"])
  })
})

describe("stopping and going on", () => {
  const canary = ["--config", "canary.config.json", "-e", "production"]
  const patient = ["--config", "patient.config.json", "-e", "production"]
  const baking = /web: .*50% of the traffic/

  it("has something to canary against", async () => {
    assert.strictEqual((await json("deploy", ...canary, "--version", "v5")).code, 0)
  })

  it("Ctrl-C saves the state, says how to continue and exits with 130; attach finishes the job", async () => {
    const ran = await binary.run(cwd, ["deploy", ...canary, "--version", "v6", "--correlation-id", "stopped"], {
      signals: [[baking, "SIGINT"]]
    })
    assert.strictEqual(ran.code, 130, ran.stderr)
    assert.include(ran.stderr, "signalbox attach stopped")
    assert.notInclude(ran.stderr, "forced")
    const { value } = await json("status", "-e", "production")
    assert.deepEqual([value.execution.correlationId, value.execution.status], ["stopped", "paused"])
    const attached = await json("attach", "stopped")
    assert.deepEqual([attached.code, attached.value.status], [0, "completed"], JSON.stringify(attached.value.error))
  })

  it("a second Ctrl-C, at once, exits 130 whatever the first had come to; nothing is lost", async () => {
    const ran = await binary.run(cwd, ["deploy", ...canary, "--version", "v6b", "--correlation-id", "forced"], {
      signals: [
        [baking, "SIGINT"],
        [/stopping/, "SIGINT"]
      ]
    })
    assert.strictEqual(ran.code, 130, ran.stderr)
    assert.match(ran.stderr, /forced; the next run|the state is saved/)
    const attached = await json("attach", "forced")
    assert.deepEqual([attached.code, attached.value.status], [0, "completed"], JSON.stringify(attached.value.error))
  })

  it("SIGTERM exits 143; the same correlation id takes it up", async () => {
    const ran = await binary.run(cwd, ["deploy", ...canary, "--version", "v7", "--correlation-id", "ended"], {
      signals: [[baking, "SIGTERM"]]
    })
    assert.strictEqual(ran.code, 143, ran.stderr)
    const again = await json("deploy", ...canary, "--version", "v7", "--correlation-id", "ended")
    assert.deepEqual([again.code, again.value.status], [0, "completed"], JSON.stringify(again.value.error))
  })

  it("SIGKILL: the application goes on answering, and the same correlation id finishes the job", async () => {
    const ran = await binary.run(cwd, ["deploy", ...canary, "--version", "v8", "--correlation-id", "killed"], {
      signals: [[baking, "SIGKILL"]]
    })
    assert.strictEqual(ran.code, -2)
    assert.match(await (await fetch(`http://127.0.0.1:${ports.web}/`)).text(), /^v[78]$/)
    const again = await json("deploy", ...canary, "--version", "v8", "--correlation-id", "killed")
    assert.deepEqual([again.code, again.value.status], [0, "completed"], JSON.stringify(again.value.error))
  })

  it("of two deploys at the same instant one runs, the other exits 2 and names the holder; attach watches from elsewhere", async () => {
    const one = binary.run(cwd, ["deploy", ...canary, "--version", "v9", "--correlation-id", "left", "--json"])
    const two = binary.run(cwd, ["deploy", ...canary, "--version", "v9", "--correlation-id", "right", "--json"])
    const ran = await Promise.all([one, two])
    assert.sameMembers(
      ran.map(({ code }) => code),
      [0, 2],
      ran.map(({ stderr }) => stderr).join("\n")
    )
    const [holder, loser] = ran[0].code === 0 ? ["left", ran[1]] : ["right", ran[0]]
    const { error } = JSON.parse(loser.stderr)
    assert.include(error.message, `${holder} holds the lease`)
    assert.include(error.hint, `signalbox attach ${holder}`)
  })

  it("--detach leaves a runner behind; attach joins it", async () => {
    const { code, value } = await json(
      "deploy",
      ...canary,
      "--version",
      "v10",
      "--correlation-id",
      "behind",
      "--detach"
    )
    assert.deepEqual([code, value.detached], [0, true])
    const attached = await json("attach", "behind")
    assert.deepEqual([attached.code, attached.value.status], [0, "completed"], JSON.stringify(attached.value.error))
  })

  it("an operator in another shell aborts; the stacks roll back", async () => {
    const ran = spawn(
      process.execPath,
      [binary.path, "deploy", ...patient, "--version", "v11", "--correlation-id", "aborted"],
      { cwd, stdio: ["ignore", "ignore", "pipe"] }
    )
    const ended = new Promise<number | null>((resolve) => ran.on("close", resolve))
    let seen = ""
    await new Promise<void>((resolve) =>
      ran.stderr.on("data", (data) => {
        seen += data
        if (baking.test(seen)) resolve()
      })
    )
    const told = await json("abort", "aborted", "--reason", "not today")
    assert.strictEqual(told.value.command, "abort")
    assert.strictEqual(await ended, 3, seen)
    assert.deepEqual((await statuses()).slice(1), ["db deployed v10", "web deployed v10"])
  })
})
