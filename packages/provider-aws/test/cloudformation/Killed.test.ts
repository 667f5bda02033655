/**
 * Commands that are killed while they deploy a stack. CloudFormation's own events tell what was begun, and how often.
 */
import { spawn } from "node:child_process"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { assert, describe, it } from "vitest"
import { build } from "../../../cli/test/binary.ts"
import { cleanEnvironment } from "../../../cli/test/bundle.ts"
import { endpoint } from "../emulator.ts"
import { platform, region, templateOf } from "./platform.ts"

const yaml = `
organization: acme
project: shop
environments: { production: { region: ${region} } }
plugins: ["@signalbox/provider-aws"]
stacks:
  - name: api
    provider: "aws:cloudformation"
    gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis }
    properties: { stackName: the-api, template: api.json }
`

/** The places where a command is killed: after so many lines of its report. */
const kills = Array.from({ length: 12 }, (_, index) => index + 1)

describe.skipIf(endpoint === undefined)("a command that is killed", () => {
  it("leaves a deployment that is finished by the next one, and nothing is begun twice", async () => {
    const aws = platform()
    const link = join(aws.directory, "node_modules/@signalbox/provider-aws")
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(fileURLToPath(new URL("../../", import.meta.url)), link)
    writeFileSync(join(aws.directory, "signalbox.config.yaml"), yaml)
    const { path, run } = build()
    const env = { AWS_ENDPOINT_URL: endpoint!, AWS_ACCESS_KEY_ID: aws.account, AWS_SECRET_ACCESS_KEY: "test" }
    const ends = async (...args: ReadonlyArray<string>) => {
      const ran = await run(aws.directory, args, { env })
      assert.strictEqual(ran.code, 0, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
    }
    const write = (version: string) => aws.write("api.json", templateOf(version))
    write("v0")
    await ends("init", "--id", "DX6604E")
    await ends("deploy", "--version", "v0")
    for (const lines of kills) {
      const version = `v${lines}`
      write(version)
      const args = [path, "deploy", "--version", version, "--correlation-id", version]
      const child = spawn(process.execPath, args, {
        cwd: aws.directory,
        env: { ...cleanEnvironment(), HOME: aws.directory, ...env },
        stdio: ["ignore", "ignore", "pipe"]
      })
      let said = ""
      child.stderr.on("data", (data) => {
        said += String(data)
        if (said.split("\n").length > lines) child.kill("SIGKILL")
      })
      await new Promise((resolve) => child.once("exit", resolve))
      await ends("deploy", "--version", version, "--correlation-id", version)
      assert.strictEqual(await aws.version(), version)
    }
    const begun = (await aws.events("the-api")).filter(
      ({ PhysicalResourceId, ResourceStatus, StackId }) =>
        PhysicalResourceId === StackId && /^(CREATE|UPDATE|DELETE)_IN_PROGRESS$/.test(ResourceStatus!)
    )
    const tokens = begun.map(({ ClientRequestToken }) => ClientRequestToken)
    assert.strictEqual(new Set(tokens).size, tokens.length)
    // One operation for each version, and all of them ours.
    assert.strictEqual(tokens.length, kills.length + 1)
    for (const token of tokens) assert.match(token!, /^sb-/)
    aws.close()
  })
})
