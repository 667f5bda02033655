/**
 * `--log-level debug`, which the hint of an unexpected failure names, adds its cause, and to standard error alone.
 */
import * as Fs from "node:fs"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, it } from "vitest"
import { build, type Binary } from "./binary.ts"
import { temporary } from "./support.ts"

let cwd: string
let binary: Binary
const server = createServer((_, response) => {
  response.writeHead(200, { "content-length": 1_000 })
  response.write(Buffer.from([0x1f, 0x8b, 8, 0]), () => response.destroy())
})

beforeAll(async () => {
  cwd = temporary("log-level")
  binary = build()
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
})
afterAll(() => {
  server.close()
  Fs.rmSync(cwd, { recursive: true, force: true })
})

it("adds the cause of an unexpected failure if its hint says so", async () => {
  Fs.writeFileSync(
    Path.join(cwd, "signalbox.config.json"),
    JSON.stringify({
      organization: "acme",
      project: "shop",
      environments: { production: {} },
      stacks: [{ name: "web", provider: "local", properties: { command: ["node", "server.mjs"] } }]
    })
  )
  await binary.run(cwd, ["init"])
  const artifact = `http://127.0.0.1:${(server.address() as AddressInfo).port}/app.tgz`
  const deploy = ["deploy", "--version", "v1", "--artifact", artifact, "--dry-run", "--json"]
  const plain = await binary.run(cwd, deploy)
  const { error } = JSON.parse(plain.stderr)
  assert.include(error.message, "was cut off after 4 of 1000 bytes")
  assert.include(error.hint, "--log-level debug")
  const debug = await binary.run(cwd, [...deploy, "--log-level", "debug"])
  assert.match(debug.stderr, /DEBUG.*the artifact could not be read or copied.*ECONNRESET/s)
  assert.strictEqual(debug.stdout, plain.stdout)
  assert.strictEqual(debug.code, plain.code)
})
