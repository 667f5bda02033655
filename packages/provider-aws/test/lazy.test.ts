/**
 * What a command loads that does not ask AWS for anything.
 */
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync, mkdtempSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { build } from "../../cli/test/binary.ts"

const preload = fileURLToPath(new URL("fixtures/loaded.mjs", import.meta.url))

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "signalbox-lazy-"))
})
afterEach(() => rmSync(directory, { recursive: true }))

const config = `
organization: acme
project: shop
environments: { production: { region: eu-west-1 } }
plugins: ["@signalbox/provider-aws"]
stacks:
  - { name: api, provider: "aws:cloudformation", properties: { template: api.yaml } }
`

describe("the SDK of AWS", () => {
  it("is not loaded by commands that only read the store, and is by one that looks at a stack", async () => {
    const link = join(directory, "node_modules/@signalbox/provider-aws")
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(fileURLToPath(new URL("../", import.meta.url)), link)
    writeFileSync(join(directory, "signalbox.config.yaml"), config)
    writeFileSync(join(directory, "api.yaml"), "Resources: { Topic: { Type: AWS::SNS::Topic } }\n")
    const file = join(directory, "loaded")
    const { run } = build()
    const env = {
      NODE_OPTIONS: `--import=${preload}`,
      LOADED: file,
      // Nothing listens there.
      AWS_ENDPOINT_URL: "http://127.0.0.1:9",
      AWS_ACCESS_KEY_ID: "test",
      AWS_SECRET_ACCESS_KEY: "test"
    }
    for (const line of ["--version", "--help", "init --id DX6604E", "info", "list", "status", "history", "--help"]) {
      const ran = await run(directory, line.split(" "), { env })
      assert.strictEqual(ran.code, 0, `${line}: ${ran.stderr}`)
      assert.isFalse(existsSync(file), existsSync(file) ? `${line}: ${readFileSync(file, "utf8")}` : line)
    }
    const ran = await run(directory, ["deploy", "--version", "v1", "--dry-run"], { env })
    assert.strictEqual(ran.code, 6, ran.stderr)
    assert.include(readFileSync(file, "utf8"), "client-sts")
  })
})
