/**
 * A service behind an Application Load Balancer, released under load, against a simulator of AWS whose time runs faster:
 *
 *     node_modules/.bin/node examples/aws-alb-canary/main.ts
 *
 * The service is live before Signalbox deploys it. For each strategy, a good release is promoted, and a bad one goes back.
 * `--per-second 500` is the load, `--requests 2000` how many requests the shares of a canary are measured by, and
 * `--only canary` does one of canary, blue_green, rolling and asg. Time runs `--scale 30` times faster.
 */
import { type LiveService, startAwsSimulator } from "@signalbox/provider-aws/testing"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { parseArgs } from "node:util"
import { Visitors } from "./Visitors.ts"

const { values } = parseArgs({
  options: {
    "per-second": { type: "string", default: "500" },
    requests: { type: "string", default: "2000" },
    scale: { type: "string", default: "30" },
    only: { type: "string" }
  }
})
const perSecond = Number(values["per-second"])
const requests = Number(values.requests)
const scale = Number(values.scale)

const here = fileURLToPath(new URL(".", import.meta.url))
const at = (path: string) => fileURLToPath(new URL(`../../packages/${path}`, import.meta.url))
const signalbox = at("cli/dist/signalbox.cjs")

/** Lets the command live in the time of the simulator; with a real account there is nothing like that. */
const clock = at("provider-aws/test/alb/scaled.mjs")

const sourceOf = (version: string): string => `s3://shop-builds/api-${version}.zip`
const sleep = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

const fetches = Buffer.from("#!/bin/sh\naws s3 cp __SIGNALBOX_ARTIFACT__ /opt/app && exec /opt/app\n").toString(
  "base64"
)

/** Releases a good and a bad version by one strategy, and returns what visitors noticed. */
const released = async (strategy: string): Promise<void> => {
  const work = await mkdtemp(join(tmpdir(), "signalbox-example-"))
  const simulator = await startAwsSimulator({ scale, launchMillis: 5000 })
  for (const version of ["v1", "v2"]) simulator.push(sourceOf(version), { body: version })
  // By weight, the errors of a release show in its requests; a refresh only looks at its health.
  simulator.push(sourceOf("v3"), { body: "v3", ...(strategy === "asg" ? { unhealthy: true } : { errorRate: 0.3 }) })
  const service: LiveService = await simulator.seed({ source: sourceOf("v1"), instances: 2 })
  const made = (await simulator.edit("CreateLaunchTemplate", {
    LaunchTemplateName: "api",
    LaunchTemplateData: { ImageId: "ami-0a1b2c3d4e5f67890", InstanceType: "t3.micro", UserData: fetches }
  })) as { readonly LaunchTemplate: { readonly LaunchTemplateId: string } }
  const env = {
    ...process.env,
    NODE_OPTIONS: `--import=${clock}`,
    TIME_SCALE: String(scale),
    AWS_ENDPOINT_URL: simulator.endpoint,
    AWS_ACCESS_KEY_ID: "example",
    AWS_SECRET_ACCESS_KEY: "example",
    SERVICE: JSON.stringify({ service, template: made.LaunchTemplate.LaunchTemplateId }),
    STRATEGY: strategy,
    SIGNALBOX_CONFIG: join(here, "signalbox.config.ts"),
    SIGNALBOX_DIRECTORY: work
  }

  /** Types a command, shows its output, and checks its exit code. */
  const run = async (line: string, wanted = 0, meanwhile: () => Promise<void> = async () => {}): Promise<void> => {
    process.stdout.write(`\n$ signalbox ${line}\n`)
    const child = spawn(process.execPath, [signalbox, ...line.split(" ")], {
      cwd: work,
      env,
      stdio: ["ignore", "inherit", "inherit"]
    })
    const ended = once(child, "exit")
    try {
      await Promise.race([meanwhile(), ended])
    } catch (error) {
      child.kill()
      throw error
    }
    const [code] = await ended
    if (code !== wanted) throw new Error(`signalbox ${line} ended with ${code}, not ${wanted}`)
  }

  const visitors = new Visitors(simulator.listenerUrl(service.listener), perSecond)

  /** Waits until the weights say so and the nodes know it, and counts the answers of a version. */
  const share = async (percent: number, version: string): Promise<void> => {
    const weights = () =>
      simulator.ledger.writes
        .filter(({ operation }) => operation === "ModifyListener")
        .map(({ input }) => JSON.stringify(input))
    while (!new RegExp(`"Weight":${percent}\\b`).test(weights().at(-1) ?? "")) await sleep(20)
    await sleep(5000 / scale)
    const answers = await visitors.next(requests)
    const found = (100 * answers.filter((answer) => answer.version === version).length) / requests
    process.stdout.write(`share of ${version}: ${found.toFixed(1)} % of ${requests} requests, asked for ${percent} %\n`)
    // Each node of the load balancer divides its own requests, so that a few of them say less.
    if (Math.abs(found - percent) > (requests < 2000 ? 5 : 1)) throw new Error(`${found} % is not ${percent} %`)
  }

  try {
    await run("init --id DX6604E")
    visitors.start()
    await run("deploy --version v2", 0, async () => {
      if (strategy !== "canary") return
      await share(10, "v2")
      await share(50, "v2")
    })
    await run("deploy --version v3", 3)
    await visitors.stop()
    const { answers } = visitors
    // A bad release fails by itself; whatever else fails was lost on the way.
    const failed = answers.filter(({ status, version }) => status !== 200 && version !== "v3").length
    const bad = answers.filter(({ version }) => version === "v3").length
    const last = answers.at(-1)?.version
    const { capacity, toTargetsTakenAway } = simulator.ledger
    process.stdout.write(
      `\n${strategy}: ${answers.length} requests, ${failed} failed, ${bad} answered by v3 while it was tried; ${toTargetsTakenAway} to targets taken away; ` +
        `at least ${capacity.get(service.listener)?.minimum} healthy instances; ${last} answers now\n`
    )
    if (failed > 0 || toTargetsTakenAway > 0 || last !== "v2") process.exitCode = 1
    await run("destroy DX6604E --yes")
  } finally {
    await simulator.close()
    await rm(work, { recursive: true, force: true })
  }
}

const all = ["canary", "blue_green", "rolling", "asg"]
for (const strategy of values.only === undefined ? all : [values.only]) await released(strategy)
