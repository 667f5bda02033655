/**
 * "Six notices in Slack" of docs/notifications.md, from the start to the summary: with the configuration of that page, the real
 * program, and a server that answers as Slack does.
 */
import { openSlackServer } from "@signalbox/notify/testing"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, it } from "vitest"
import { build } from "./binary.ts"
import { channelProject } from "./channelProject.ts"

const page = Fs.readFileSync(new URL("../../../docs/notifications.md", import.meta.url), "utf8")
const documented = /## Six notices in Slack[^]*?```yaml\n([^]*?)```/.exec(page)?.[1] ?? ""
const channels = { "#deployments": "C0DEPLOYS", incidents: "C0INCIDENTS", operations: "C0OPERATIONS" }

it("tells Slack of six things, keeps what cannot be sent, and sums up what holds no more", async () => {
  const env = { SLACK_TOKEN: "xoxb-walkthrough", SIGNALBOX_ACTOR: "ada" }
  const slack = await openSlackServer(env.SLACK_TOKEN, channels)
  afterAll(slack.close)
  const configuration = (bake: string, interval = "100 millis", endpoint = slack.endpoint) => `
organization: acme
project: pages
environments: { production: {} }
leaseTtl: 5 seconds
stacks:
  - name: home
    provider: site
    strategy: { type: blue_green, bake: ${bake} }
    gate: { gracePeriod: 0 millis, interval: ${interval}, consecutivePasses: 1 }
${documented
  .replace('["@signalbox/notify"]', '["@acme/plain-site", "@signalbox/notify"]')
  .replaceAll("channel:", `endpoint: "${endpoint}", allow: [127.0.0.1], channel:`)}`
  const cwd = channelProject(configuration("0 millis"))
  const configure = (...given: Parameters<typeof configuration>) =>
    Fs.writeFileSync(Path.join(cwd, "signalbox.config.yaml"), configuration(...given))
  for (const version of ["1.0.0", "1.1.0", "1.2.0", "1.4.0"]) {
    Fs.mkdirSync(Path.join(cwd, version))
    Fs.writeFileSync(Path.join(cwd, version, "index.html"), version)
  }
  const binary = build()
  const run = (args: ReadonlyArray<string>, more: Readonly<Record<string, string>> = {}) =>
    binary.run(cwd, args, { env: { ...env, ...more } })
  const deploy = (version: string, artifact = version, ...more: ReadonlyArray<string>) =>
    run(["deploy", "--version", version, "--artifact", artifact, "--correlation-id", `release-${version}`, ...more])
  /** What a channel was told, in order; changes of a message too. */
  const told = (channel: keyof typeof channels) =>
    slack.calls
      .map(({ body }) => JSON.parse(body) as { readonly channel: string })
      .filter((one) => one.channel === channels[channel] || one.channel === channel)
      .map((body) => JSON.stringify(body))
  const isTold = (channel: keyof typeof channels, pattern: RegExp) =>
    assert.isTrue(
      told(channel).some((text) => pattern.test(text)),
      `${pattern} in ${channel}: ${told(channel).join("\n")}`
    )

  assert.strictEqual((await run(["init", "--id", "DX6604E"])).code, 0)

  assert.strictEqual((await deploy("1.0.0")).code, 0)
  isTold("#deployments", /deploy 1\.0\.0 started/)
  isTold("#deployments", /deploy 1\.0\.0 completed/)

  // A deployment takes so long that another one has to wait, and that a monitor finds it stalled.
  configure("8 seconds", "4 seconds")
  const first = deploy("1.1.0")
  const isRunning = () => told("#deployments").some((text) => /deploy 1\.1\.0 started/.test(text))
  for (let tries = 0; tries < 6_000 && !isRunning(); tries++) await new Promise((resolve) => setTimeout(resolve, 20))
  configure("0 millis")
  const second = deploy("1.2.0", "1.2.0", "--queue", "fifo")
  const monitor = run(["monitor", "release-1.1.0", "--stall-after", "2s", "--interval", "500ms"])
  const codes = (await Promise.all([first, second, monitor])).map(({ code }) => code)
  assert.deepStrictEqual(codes, [0, 0, 0])
  // Slack's message changes once in 3 seconds at most, so that this one may be part of the one before.
  const explained = await run(["notify", "explain", "release-1.1.0"])
  assert.match(explained.stdout, /progress: to deployments \(routes\[0\]\), sent/)
  isTold("#deployments", /deploy 1\.2\.0 waits: release-1\.1\.0 is queued ahead/)
  isTold("operations", /stalled/)

  assert.notStrictEqual((await deploy("1.3.0", "broken")).code, 0)
  isTold("incidents", /deploy 1\.3\.0 (FAILED|ROLLED BACK)/)
  isTold("#deployments", /deploy 1\.3\.0 (FAILED|ROLLED BACK)/)

  // Slack is away: nothing is lost, and the deployment succeeds.
  configure("0 millis", "100 millis", "http://127.0.0.1:1/api")
  assert.strictEqual((await deploy("1.4.0")).code, 0)
  const before = slack.calls.length
  const waiting = JSON.parse((await run(["notify", "list", "--json"])).stdout)
  assert.isNotEmpty(waiting.notifications)
  assert.strictEqual(slack.calls.length, before)

  // It is back after 11 minutes: what still holds, and one summary.
  configure("0 millis")
  const ahead = Path.join(cwd, "ahead.mjs")
  Fs.writeFileSync(ahead, "const { now } = Date\nDate.now = () => now() + 11 * 60_000\n")
  const flushed = await run(["notify", "flush"], { NODE_OPTIONS: `--import=${ahead}` })
  assert.strictEqual(flushed.code, 0, flushed.stderr)
  isTold("#deployments", /deploy 1\.4\.0 completed/)
  isTold("#deployments", /\d+ notifications? while this channel was away/)
  assert.deepStrictEqual(JSON.parse((await run(["notify", "list", "--json"])).stdout).notifications, [])
}, 120_000)
