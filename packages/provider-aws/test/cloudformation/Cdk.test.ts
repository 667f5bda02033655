/**
 * The real CDK as the other party: its deployments are seen, waited for and followed, and under `signalbox run` they never
 * overlap.
 */
import { spawn } from "node:child_process"
import { mkdirSync, symlinkSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { assert, describe, expect, it } from "vitest"
import { endpoint } from "../emulator.ts"
import { begun } from "../chaos/judge.ts"
import { eventually } from "./eventually.ts"
import { held, release } from "./held.ts"
import { region, templateOf } from "./platform.ts"
import { configuration, id, type Project, project } from "./project.ts"

const require = createRequire(import.meta.url)
const cdkFolder = dirname(require.resolve("aws-cdk/package.json"))

/** Makes `npx cdk` work in the folder of the project. */
const installCdk = (one: Project): void => {
  const bin = join(one.aws.directory, "node_modules/.bin")
  mkdirSync(bin, { recursive: true })
  symlinkSync(join(cdkFolder, "bin/cdk"), join(bin, "cdk"))
}

/** Writes what `cdk synth` would. */
const assembly = (one: Project, folder: string, stack: string, template: object): void => {
  const artifact = {
    type: "aws:cloudformation:stack",
    environment: `aws://${one.aws.account}/${region}`,
    properties: { templateFile: `${stack}.template.json`, stackName: stack }
  }
  mkdirSync(join(one.aws.directory, folder))
  one.aws.write(join(folder, "manifest.json"), { version: "36.0.0", artifacts: { [stack]: artifact } })
  one.aws.write(join(folder, `${stack}.template.json`), template)
}

const cdkEnv = { AWS_REGION: region, CDK_DISABLE_CLI_TELEMETRY: "true", CI: "1" }
const deployment = (folder: string) => [
  "cdk",
  "deploy",
  "--app",
  folder,
  "--output",
  `${folder}.out`,
  "--require-approval",
  "never",
  "--all"
]

/** Runs a command of CDK; resolves with its code and what it said. */
const npx = (
  { aws, env }: Project,
  args: ReadonlyArray<string>
): Promise<{ readonly code: number | null; readonly said: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn("npx", args, {
      cwd: aws.directory,
      env: { ...process.env, ...env, ...cdkEnv, HOME: aws.directory },
      stdio: ["ignore", "pipe", "pipe"]
    })
    let said = ""
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (said += String(data)))
    child.on("error", reject)
    child.on("close", (code) => resolve({ code, said }))
  })

describe.skipIf(endpoint === undefined)("a deployment by CDK", { concurrent: true }, () => {
  it("is shown, waited for and followed while it is in flight", async () => {
    const one = project(configuration(`      parameters: { Version: "\${version}" }`, "    onBusy: wait"))
    const { aws } = one
    const versioned = { ...templateOf(""), Parameters: { Version: { Type: "String" } } }
    versioned.Resources.Version.Properties.Value = { Ref: "Version" } as never
    aws.write("api.json", versioned)
    installCdk(one)
    const bootstrapped = npx(one, ["cdk", "bootstrap", `aws://${aws.account}/${region}`])
    await one.ends(0, "init", "--id", id)
    await one.ends(0, "deploy", "--version", "v1")
    const { code, said: told } = await bootstrapped
    assert.strictEqual(code, 0, told)
    assembly(one, "cdk.out", "shop-api", templateOf("by CDK", held))
    const theirs = npx(one, deployment("cdk.out"))
    await eventually("the update by CDK", async () => (await one.status()) === "UPDATE_IN_PROGRESS")

    const said = await one.ends(2, "can-deploy", id, "--explain")
    for (const told of [/api: UPDATE_IN_PROGRESS/, /who +exec/, /since +\d+m?s ago/, /look +https:.*shop-api/])
      expect(said).toMatch(told)
    const monitor = one.start("monitor", id, "--interval", "1 second")
    const ours = one.start("deploy", "--version", "v2")
    await ours.says(/UPDATE_IN_PROGRESS/)
    await release(aws, "shop-api")
    const cdk = await theirs
    assert.strictEqual(cdk.code, 0, cdk.said)
    const deployed = await ours.ended
    assert.strictEqual(deployed.code, 0, deployed.stderr)
    assert.strictEqual(await aws.version(), "v2")
    const monitored = await monitor.ended
    assert.strictEqual(monitored.code, 0, monitored.stderr)
    for (const event of ["Slow UPDATE_COMPLETE", "shop-api UPDATE_COMPLETE"]) expect(monitored.stdout).toContain(event)
    const tokens = begun([...(await aws.events("shop-api"))].reverse())
    expect(tokens.map((token) => token.replace(/-.*/, ""))).toEqual(["sb", expect.stringMatching(/^exec/), "sb"])
    aws.close()
  })

  it("does not overlap with another one under signalbox run", async () => {
    const one = project(configuration())
    const { aws } = one
    await one.ends(0, "init", "--id", id)
    installCdk(one)
    const stacks = ["one", "two"]
    for (const stack of stacks) assembly(one, stack, stack, { Resources: held })
    const runs = stacks.map((stack) =>
      one.start("run", "--environment", "production", "--", "npx", ...deployment(stack))
    )
    const inProgress = async () => {
      const { Stacks = [] } = await aws.client.describeStacks({})
      return Stacks.filter(({ StackStatus }) => StackStatus === "CREATE_IN_PROGRESS").map(({ StackName }) => StackName!)
    }
    let first: ReadonlyArray<string> = []
    await eventually("a deployment", async () => (first = await inProgress()).length > 0)
    await Promise.any(runs.map(({ says }) => says(/waiting/)))
    assert.deepStrictEqual(await inProgress(), first)
    await release(aws, first[0]!)
    await release(
      aws,
      stacks.find((stack) => stack !== first[0])!
    )
    for (const { ended } of runs) {
      const { code, stderr, stdout } = await ended
      assert.strictEqual(code, 0, stdout + stderr)
    }
    const spans = await Promise.all(
      stacks.map(async (stack) => {
        const times = (await aws.events(stack)).map(({ Timestamp }) => Timestamp!.getTime())
        return { stack, from: Math.min(...times), to: Math.max(...times) }
      })
    )
    const [earlier, later] = spans.toSorted((left, right) => left.from - right.from)
    assert.isAtMost(earlier!.to, later!.from)
    aws.close()
  })
})
