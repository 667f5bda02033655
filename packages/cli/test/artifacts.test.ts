/**
 * `--artifact` and variables on the command line, against the simulated provider.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { memoryBackend, runWith, temporary } from "./support.ts"

const id = "DX6604E"
const gate = { gracePeriod: "0 millis", interval: "20 millis", consecutivePasses: 1, minSamples: 1 }
const env = { SIGNALBOX_DATABASE_URL: "memory:", SIGNALBOX_ENVIRONMENT: "production" }

let cwd: string
let world: Awaited<ReturnType<typeof memoryBackend>>
beforeAll(async () => {
  cwd = temporary("artifacts")
  world = await memoryBackend()
  Fs.writeFileSync(
    Path.join(cwd, "signalbox.config.json"),
    JSON.stringify({
      organization: "acme",
      project: "shop",
      environments: { production: { region: "eu-west-1", stacks: { web: { region: "us-east-1" } } } },
      stacks: [
        { name: "api", provider: "simulated", gate, properties: { image: "api:${version}" } },
        { name: "web", provider: "simulated", gate, dependsOn: ["api"], properties: { tag: "${commit}" } }
      ]
    })
  )
  await run("init", "--id", id)
})
afterAll(async () => {
  await world.close()
  Fs.rmSync(cwd, { recursive: true, force: true })
})

const run = async (...args: ReadonlyArray<string>) => {
  const ran = await runWith(world.backend, cwd, [...args, "--json"], { env })
  return { code: ran.code, value: JSON.parse(ran.stdout || ran.stderr) }
}
const deploy = (...args: ReadonlyArray<string>) => run("deploy", id, "--version", "v1", "--commit", "4f2a91c", ...args)

describe("--artifact", () => {
  it("names the artifact of all stacks and of single ones; the dry run shows it, and what variables become", async () => {
    const { code, value } = await deploy("--artifact", "./all", "--artifact", "web=./a=b", "--dry-run")
    assert.strictEqual(code, 0, JSON.stringify(value))
    assert.deepEqual(
      value.stacks.map(({ artifact, region, values }: Record<string, unknown>) => ({ artifact, region, values })),
      [
        { artifact: Path.join(cwd, "all"), region: "eu-west-1", values: { image: "api:v1" } },
        { artifact: Path.join(cwd, "a=b"), region: "us-east-1", values: { tag: "4f2a91c" } }
      ]
    )
    const text = await runWith(world.backend, cwd, ["deploy", id, "--version", "v1", "--commit", "4f", "--dry-run"], {
      env
    })
    assert.include(text.stdout, "image: api:v1")
    assert.include(text.stdout, "in us-east-1")
  })

  it.each([
    ["https://example.com/app.tgz?a=b", "https://example.com/app.tgz?a=b"],
    ["./x=y.tgz", undefined]
  ])("%s is no name of a stack", async (given, expected) => {
    const { value } = await deploy("--artifact", given, "--dry-run")
    assert.strictEqual(value.stacks[0].artifact, expected ?? Path.join(cwd, given))
  })

  it("for an unknown stack ends with 64 and a suggestion, as register does", async () => {
    for (const { code, value } of [
      await deploy("--artifact", "wep=./web"),
      await run("register", id, "--kind", "deploy", "--artifact", "wep=./web")
    ]) {
      assert.deepEqual([code, value.error.code], [64, "artifact_without_stack"])
      assert.include(value.error.hint, `Did you mean "web"?`)
    }
    const narrow = await run("deploy-stack", id, "api", "--version", "v1", "--artifact", "web=./web")
    assert.deepEqual([narrow.code, narrow.value.error.params.known], [64, ["api"]])
  })

  it.each([
    [["--artifact", "./a", "--artifact", "./b"], "flags_conflict"],
    [["--artifact", "web=./a", "--artifact", "web=./b"], "flags_conflict"],
    [["--artifact", "web="], "invalid_value"]
  ])("%j is refused", async (flags, code) => {
    const { code: exit, value } = await deploy(...flags)
    assert.deepEqual([exit, value.error.code], [64, code])
  })
})

describe("a variable without a value", () => {
  it("rejects a deployment with 64 and the path, and records nothing", async () => {
    const { code, value } = await run("deploy", id, "--version", "v1")
    assert.deepEqual([code, value.error.code, value.error.path], [64, "variable_missing", "stacks.web.properties.tag"])
    assert.strictEqual((await run("history", id)).value.executions.length, 0)
  })
})
