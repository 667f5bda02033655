/**
 * The real program with its state in DynamoDB, from folders that share nothing but the table.
 */
import { CloudFormation } from "@aws-sdk/client-cloudformation"
import { faultProxy, operations } from "@signalbox/fault-proxy"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "../../../cli/test/binary.ts"
import { start } from "../../../cli/test/running.ts"
import { temporary } from "../../../cli/test/support.ts"
import { endpoint, freshAccount } from "../emulator.ts"

const id = "DX6604E"

const server = `
import { createServer } from "node:http"
createServer((request, response) => response.end(process.env.SIGNALBOX_VERSION)).listen(process.env.PORT)
`

const env = { AWS_ACCESS_KEY_ID: freshAccount(), AWS_SECRET_ACCESS_KEY: "test", AWS_REGION: "eu-west-1" }

let binary: Binary
const folders: Array<string> = []
beforeAll(() => void (binary = build()), 120_000)
afterAll(async () => {
  for (const cwd of folders) {
    await binary.run(cwd, ["destroy", id, "--yes"], { env })
    Fs.rmSync(cwd, { recursive: true, force: true })
  }
}, 120_000)

/** A project that has the plug-in, and its state in this store. */
const project = (store: string): string => {
  const cwd = temporary("dynamodb")
  folders.push(cwd)
  const installed = Path.join(cwd, "node_modules", "@signalbox", "provider-aws")
  Fs.mkdirSync(Path.dirname(installed), { recursive: true })
  Fs.symlinkSync(fileURLToPath(new URL("../../", import.meta.url)), installed)
  Fs.mkdirSync(Path.join(cwd, "app"))
  Fs.writeFileSync(Path.join(cwd, "app", "server.mjs"), server)
  const properties = { command: ["node", "server.mjs"], artifact: "app", port: 0 }
  const gate = { gracePeriod: "0 millis", interval: "100 millis", consecutivePasses: 1, minSamples: 0 }
  const config = {
    organization: "acme",
    project: "shop",
    environments: { production: {} },
    plugins: ["@signalbox/provider-aws"],
    store,
    stacks: [{ name: "web", provider: "local", gate, properties }]
  }
  Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(config))
  return cwd
}

const urlOf = (table: string, at = endpoint!) =>
  `dynamodb://${table}?region=eu-west-1&endpoint=${encodeURIComponent(at)}`

const json = async (cwd: string, ...args: ReadonlyArray<string>) => {
  const ran = await binary.run(cwd, [...args, "--json"], { env })
  assert.strictEqual(ran.code, 0, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
  return JSON.parse(ran.stdout)
}

describe.skipIf(endpoint === undefined)("the command with its state in DynamoDB", { timeout: 240_000 }, () => {
  it("creates the table, deploys, and shows what happened, also to another folder", async () => {
    const url = urlOf("shop")
    const cwd = project(url)
    const missing = await binary.run(cwd, ["init", "--id", id], { env })
    assert.strictEqual(missing.code, 6, missing.stderr)
    assert.match(missing.stderr, /there is no table shop in eu-west-1.*signalbox aws bootstrap/s)

    const made = await binary.run(cwd, ["aws", "bootstrap", url], { env })
    assert.deepEqual([made.code, made.stderr], [0, ""])
    const bucket = `templates-${env.AWS_ACCESS_KEY_ID}`
    const more = () => binary.run(cwd, ["aws", "bootstrap", url, "--bucket", bucket], { env })
    assert.match((await more()).stdout, new RegExp(`exists already.*bucket ${bucket} was created`, "s"))
    assert.match((await more()).stdout, /exists already.*exists already/s)

    await json(cwd, "init", "--id", id)
    const deployed = await json(cwd, "deploy", "--version", "1.0.0")
    assert.strictEqual(deployed.status, "completed")
    assert.isFalse(Fs.existsSync(Path.join(cwd, ".signalbox", "signalbox.db")))

    const elsewhere = project(url)
    const status = await json(elsewhere, "status", id)
    assert.strictEqual(status.status, "deployed")
    assert.strictEqual(status.stacks[0].release.version, "1.0.0")
    const { executions } = await json(elsewhere, "history", id)
    assert.strictEqual(executions.length, 1)
    const { events } = await json(elsewhere, "events", executions[0].correlationId)
    assert.deepEqual(
      events.map(({ seq }: { readonly seq: number }) => seq),
      events.map((_: unknown, index: number) => index + 1)
    )
  })

  it("lets one of two runners in after the other", async () => {
    const url = urlOf("two")
    const [here, there] = [project(url), project(url)]
    assert.strictEqual((await binary.run(here, ["aws", "bootstrap", url], { env })).code, 0)
    await json(here, "init", "--id", id)
    const run = ["run", "--deployment", id, "--environment", "production"]
    const first = start(binary, here, [...run, "--", "sh", "-c", "echo holding; sleep 100"], env)
    try {
      await first.says(/holding/)
      const second = start(binary, there, [...run, "--", "echo", "at last"], env)
      await second.says(/waiting/)
      first.child.kill("SIGTERM")
      assert.strictEqual((await first.ended).code, 143)
      assert.deepInclude(await second.ended, { code: 0, stdout: "at last\n" })
    } finally {
      first.child.kill("SIGKILL")
    }
  })

  it("refuses a malformed address with exit code 64, and calls nothing", async () => {
    await using proxy = await faultProxy({ target: endpoint!, operationOf: operations.awsJson })
    const at = encodeURIComponent(proxy.url)
    const cwd = project(urlOf("shop", proxy.url))
    for (const [url, why] of [
      [`dynamodb://shop?regoin=eu-west-1&endpoint=${at}`, "no parameter"],
      [`dynamodb://sh/op?endpoint=${at}`, "a path"],
      [`dynamodb://key:hunter2@shop?endpoint=${at}`, "credentials come from the environment"]
    ] as const) {
      for (const args of [
        ["status", id],
        ["deploy", id, "--version", "1"],
        ["aws", "bootstrap"]
      ]) {
        const ran = await binary.run(cwd, args, { env: { ...env, SIGNALBOX_DATABASE_URL: url } })
        assert.strictEqual(ran.code, 64, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
        assert.include(ran.stderr, why)
        assert.notInclude(ran.stderr, "hunter2")
      }
    }
    for (const args of [
      ["aws"],
      ["aws", "bootstrap", "--prnt"],
      ["aws", "bootstrap", "--bucket", "A B"],
      ["aws", "strap"],
      ["aws", "bootstrap", "a", "b"]
    ]) {
      assert.strictEqual((await binary.run(cwd, args, { env })).code, args.length === 1 ? 0 : 64, args.join(" "))
    }
    assert.strictEqual(proxy.calls.length, 0)
  })

  it("says within seconds with exit code 6 that nothing answers there", async () => {
    const cwd = project(urlOf("shop", "http://127.0.0.1:1"))
    const ran = await binary.run(cwd, ["init", "--id", id], { env })
    assert.strictEqual(ran.code, 6, ran.stderr)
    assert.include(ran.stderr, "DynamoDB cannot be reached at http://127.0.0.1:1 (ECONNREFUSED)")
  })

  it("prints the table as a template, which makes the same table", async () => {
    await using proxy = await faultProxy({ target: endpoint!, operationOf: operations.awsJson })
    const cwd = project(urlOf("printed", proxy.url))
    const printed = await binary.run(cwd, ["aws", "bootstrap", urlOf("printed", proxy.url), "--print"], { env })
    assert.deepEqual([printed.code, printed.stderr, proxy.calls.length], [0, "", 0])
    const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: "test" }
    const cloudFormation = new CloudFormation({ endpoint: endpoint!, region: "eu-west-1", credentials })
    await cloudFormation.createStack({ StackName: "store", TemplateBody: printed.stdout })
    const again = await binary.run(cwd, ["aws", "bootstrap", urlOf("printed")], { env })
    assert.deepEqual([again.code, again.stderr], [0, ""])
    assert.match(again.stdout, /exists already/)
    const initialized = await binary.run(cwd, ["init", "--id", id], { env })
    assert.strictEqual(initialized.code, 0, initialized.stderr)
  })
})
