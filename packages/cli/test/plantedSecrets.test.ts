/**
 * Forty secrets of channels, planted in the environment of the real program: none occurs in the tables of its store, in what it
 * prints, or in what the receivers are told.
 */
import { openHttpReceiver, openPagerDutyServer, openSlackServer } from "@signalbox/notify/testing"
import { createHash } from "node:crypto"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { afterAll, assert, it } from "vitest"
import { build } from "./binary.ts"
import { channelProject } from "./channelProject.ts"

const planted = Array.from({ length: 40 }, (_, index) => createHash("sha256").update(`planted ${index}`).digest("hex"))
/** Four hooks have nine secrets each: the first four sign. */
const isSigning = (index: number) => index < 36 && index % 9 < 4
const env = Object.fromEntries(
  planted.map((secret, index) => [`S${index}`, isSigning(index) ? `whsec_${secret.slice(0, 60)}` : secret])
)
const ref = (index: number) => `{ $secret: S${index} }`

it("lets none of 40 secrets out of the program", async () => {
  const told: Array<string> = []
  const called = new Set<string>()
  // Answers repeat what was asked, credentials included, as some servers do in their errors.
  const hooks = await openHttpReceiver(({ body, headers, path }) => {
    told.push(body)
    called.add(path)
    const status = path.includes("refusing") ? 401 : path.includes("failing") ? 503 : 200
    return { status, body: JSON.stringify({ path, headers, body }) }
  })
  const slack = await openSlackServer(planted[36]!)
  const pager = await openPagerDutyServer(planted[37]!)
  afterAll(() => Promise.all([hooks.close(), slack.close(), pager.close()]))
  const hook = (name: string, first: number) => `
    ${name}:
      kind: webhook
      options:
        url: "${hooks.url}/${name}"
        allow: [127.0.0.1]
        signingSecrets: [${[0, 1, 2, 3].map((index) => ref(first + index)).join(", ")}]
        headers: { ${[4, 5, 6, 7, 8].map((index) => `x-token-${index}: ${ref(first + index)}`).join(", ")} }`
  const cwd = channelProject(`
organization: acme
project: pages
environments: { production: {} }
plugins: ["@acme/plain-site", "@acme/ntfy", "@signalbox/notify"]
stacks:
  - { name: home, provider: site, gate: { interval: 100 millis, consecutivePasses: 1, gracePeriod: 0 millis } }
notifications:
  channels:${["taking-a", "taking-b", "refusing", "failing"].map((name, index) => hook(name, index * 9)).join("")}
    team: { kind: slack, options: { token: ${ref(36)}, channel: C0DEPLOYS, endpoint: "${slack.endpoint}", allow: [127.0.0.1] } }
    pager: { kind: pagerduty, options: { routingKey: ${ref(37)}, endpoint: "${pager.url}", allow: [127.0.0.1] } }
    phones: { kind: ntfy, options: { server: "${hooks.url}", topic: taking, token: ${ref(38)} } }
    others: { kind: ntfy, options: { server: "${hooks.url}", topic: refusing, token: ${ref(39)} } }
`)
  const binary = build()
  for (const args of [
    ["init", "--id", "DX6604E"],
    ["deploy", "--version", "v1", "--artifact", "broken"],
    ["notify", "flush", "--json"],
    ["notify", "list", "--all", "--json"],
    ["notify", "explain", "--json"],
    ["notify", "test", "refusing", "--json"],
    ["events", "--json"]
  ]) {
    const { stderr, stdout } = await binary.run(cwd, args, { env })
    told.push(stdout, stderr)
  }
  // A routing key is part of what PagerDuty is sent.
  told.push(...slack.calls.map(({ body }) => body), ...pager.calls.map(({ body }) => body.replace(planted[37]!, "")))
  const state = Path.join(cwd, ".signalbox")
  const tables = Fs.readdirSync(state, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => Fs.readFileSync(Path.join(entry.parentPath, entry.name), "latin1"))
  const everything = [...told, ...tables].join("\n")
  for (const expected of ["notify_denied", "notify_unavailable", "deploy v1"]) assert.include(everything, expected)
  for (const path of ["/taking-a", "/taking-b", "/refusing", "/failing"]) assert.include([...called], path)
  const forms = (secret: string) => [secret.slice(0, 60), Buffer.from(secret).toString("base64").slice(0, 60)]
  assert.deepStrictEqual(
    planted.flatMap((secret, index) => (forms(secret).some((form) => everything.includes(form)) ? [index] : [])),
    []
  )
})
