/**
 * Channels of plug-ins, used by the real program through a configuration: one of a third party without Effect, and Slack.
 */
import { openHttpReceiver, openSlackServer } from "@signalbox/notify/testing"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Binary, build } from "./binary.ts"
import { channelProject } from "./channelProject.ts"

const env = { NTFY_TOKEN: "tk_planted", SLACK_TOKEN: "xoxb-planted" }

let binary: Binary
let ntfy: Awaited<ReturnType<typeof openHttpReceiver>>
let slack: Awaited<ReturnType<typeof openSlackServer>>
beforeAll(async () => {
  binary = build()
  ntfy = await openHttpReceiver(({ headers }) => ({
    status: headers.authorization === "Bearer tk_planted" ? 200 : 401
  }))
  slack = await openSlackServer(env.SLACK_TOKEN)
})
afterAll(() => Promise.all([ntfy.close(), slack.close()]))

const configuration = (topic: string) => `
organization: acme
project: pages
environments: { production: {} }
plugins: ["@acme/plain-site", "@acme/ntfy", "@signalbox/notify"]
stacks:
  - { name: home, provider: site, gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis } }
notifications:
  channels:
    phones: { kind: ntfy, options: { server: "${ntfy.url}", topic: "${topic}", token: { $secret: NTFY_TOKEN } } }
    team:
      kind: slack
      options: { token: { $secret: SLACK_TOKEN }, channel: C0DEPLOYS, endpoint: "${slack.endpoint}", allow: [127.0.0.1] }
`

const project = (topic: string) => channelProject(configuration(topic))

describe("channels of plug-ins", () => {
  it("get what a deployment that fails has to say", async () => {
    const cwd = project("pages")
    const ran = async (code: number, ...args: ReadonlyArray<string>) => {
      const ran = await binary.run(cwd, args, { env })
      assert.strictEqual(ran.code, code, `${args.join(" ")}: ${ran.stdout}${ran.stderr}`)
      return ran
    }
    await ran(0, "init", "--id", "DX6604E")
    await ran(0, "notify", "test", "phones")
    await ran(0, "notify", "test", "team")
    const failed = await binary.run(cwd, ["deploy", "--version", "v1", "--artifact", "broken"], { env })
    assert.notStrictEqual(failed.code, 0)
    await ran(0, "notify", "flush")
    const said = [ntfy.calls.map(({ body }) => body), slack.shown().map(({ text }) => text)]
    for (const texts of said) {
      assert.isTrue(
        texts.some((text) => /Test of this channel/.test(text)),
        texts.join("\n")
      )
      assert.isTrue(
        texts.some((text) => /pages production: deploy v1 (FAILED|ROLLED BACK)/.test(text)),
        texts.join("\n")
      )
    }
  })

  it("are checked by their own rules, and fail with a code of their own", async () => {
    const mistaken = project("no topic")
    await binary.run(mistaken, ["init", "--id", "DX6604E"], { env })
    const wrong = await binary.run(mistaken, ["notify", "test", "phones"], { env })
    assert.strictEqual(wrong.code, 64, wrong.stderr)
    assert.include(wrong.stderr, "notifications.channels.phones.options")

    const cwd = project("pages")
    await binary.run(cwd, ["init", "--id", "DX6604E"], { env })
    const denied = await binary.run(cwd, ["notify", "test", "phones", "--json"], {
      env: { ...env, NTFY_TOKEN: "tk_other" }
    })
    assert.strictEqual(denied.code, 1, denied.stderr)
    const { error } = JSON.parse(denied.stderr.trim().split("\n").at(-1)!)
    assert.strictEqual(error.code, "notify_denied")
    assert.notInclude(denied.stderr + denied.stdout, "tk_other")
  })
})
