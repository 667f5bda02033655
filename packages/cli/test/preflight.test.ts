/**
 * Mistakes that are known before anything is done: through the real binary, with the local provider.
 */
import * as Fs from "node:fs"
import { createServer } from "node:net"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { temporary } from "./support.ts"

const id = "DX6604E"
const gate = { gracePeriod: "0 millis", interval: "100 millis", consecutivePasses: 1, minSamples: 0 }
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
let port: number

const configure = (properties: object = {}, more: ReadonlyArray<object> = []) =>
  Fs.writeFileSync(
    Path.join(cwd, "signalbox.config.json"),
    JSON.stringify({
      organization: "acme",
      project: "shop",
      environments: { production: {}, staging: {} },
      stacks: [
        {
          name: "web",
          provider: "local",
          gate,
          properties: { command: ["node", "server.mjs"], artifact: "app", port, ...properties }
        },
        ...more
      ]
    })
  )

const run = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  binary.run(cwd, [...args, "--json"], { env })

const history = async () => JSON.parse((await run(["history", id])).stdout).executions.length as number

/** Whether the dry run, the deployment and a detached one are all rejected, and none of them is recorded. */
const refused = async (args: ReadonlyArray<string>, path: string, detaches = true) => {
  const before = await history()
  const answers = []
  for (const more of [["--dry-run"], [], ...(detaches ? [["--detach"], ["--queue", "fifo"]] : [])]) {
    const { code, stderr } = await run([...args, ...more])
    assert.strictEqual(code, 64, stderr)
    answers.push(JSON.parse(stderr).error)
  }
  assert.strictEqual(answers[0].path, path)
  for (const answer of answers) assert.deepStrictEqual(answer, answers[0])
  assert.strictEqual(await history(), before)
  return answers[0] as { readonly message: string; readonly hint: string }
}

const deploy = (environment: string, version = "v1") => ["deploy", id, "-e", environment, "--version", version]

beforeAll(async () => {
  binary = build()
  cwd = temporary("preflight")
  port = await freePort()
  Fs.mkdirSync(Path.join(cwd, "app"))
  Fs.writeFileSync(Path.join(cwd, "app", "server.mjs"), server)
  configure()
  assert.strictEqual((await run(["init", "--id", id])).code, 0)
})

afterAll(async () => {
  configure()
  for (const environment of ["staging", "production"]) await run(["destroy", id, "-e", environment, "--yes"])
  Fs.rmSync(cwd, { recursive: true, force: true })
})

describe("mistakes known in advance", () => {
  it("is refused with exit code 64 and recorded nowhere", async () => {
    configure({ artifact: "." })
    assert.include((await refused(deploy("staging"), "stacks.web.properties.artifact")).message, "holds the folder")
    assert.isFalse(Fs.existsSync(Path.join(cwd, ".signalbox", "releases")))
    assert.isFalse(Fs.existsSync(Path.join(cwd, ".signalbox", "log")))

    configure({}, [
      { name: "api", provider: "local", gate, properties: { command: ["node", "server.mjs"], artifact: "app", port } }
    ])
    const twice = await refused(deploy("staging"), "stacks.api.properties.port")
    assert.strictEqual(twice.message, `web and api both claim port ${port}`)

    configure({ env: { A: "a\u0000b" } })
    assert.strictEqual((await run(deploy("staging"))).code, 64)
    assert.strictEqual(await history(), 0)

    configure()
    assert.strictEqual((await run(deploy("staging"))).code, 0)
    const taken = await refused(deploy("production"), "stacks.web.properties.port")
    assert.strictEqual(taken.message, `web: port ${port} is taken by the stack web in staging`)
    assert.include(taken.hint, "environments.production.stacks.web.properties.port")
    configure({ port: port === 65_535 ? port - 1 : port + 1 })
    assert.include((await refused(deploy("staging", "v2"), "stacks.web.properties.port")).message, "cannot change")
    const { executions } = JSON.parse((await run(["history", id])).stdout)
    assert.deepStrictEqual(
      executions.map(({ status }: any) => status),
      ["completed"]
    )
  })

  it("is refused of a rollback too", async () => {
    const secret = { API_TOKEN: "only-known-here" }
    configure({ env: { API_TOKEN: { $secret: "API_TOKEN" } } })
    assert.strictEqual((await run(deploy("staging", "v2"), secret)).code, 0)
    assert.strictEqual((await run(deploy("staging", "v3"), secret)).code, 0)
    const back = ["rollback", id, "-e", "staging"]
    const without = await refused(back, "stacks.web.properties.env.API_TOKEN", false)
    assert.include(without.message, "API_TOKEN is not set")
    assert.strictEqual((await run(back, secret)).code, 0)
  })
})
