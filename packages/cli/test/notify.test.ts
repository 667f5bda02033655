/**
 * The walkthrough of docs/notifications.md: who is told what, by the command alone.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type { Message, NotifierKind } from "@signalbox/core/spi"
import { MemoryReceiver } from "@signalbox/core/testing"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { pairs } from "./notifyPairs.ts"
import { memoryBackend, runWith, temporary } from "./support.ts"

const gate = { gracePeriod: "0 millis", interval: "20 millis", consecutivePasses: 1, minSamples: 1 }
const config = {
  organization: "acme",
  project: "shop",
  environments: { production: {} },
  leaseTtl: "5 seconds",
  stacks: [{ name: "web", provider: "simulated", gate }],
  notifications: {
    channels: {
      team: { kind: "memory" },
      errors: { kind: "memory", options: { name: "errors" } },
      pager: { kind: "memory" }
    },
    routes: [
      { when: { kind: ["failed", "rolled_back", "stalled"] }, to: ["errors", "team"] },
      { when: { kind: ["started", "waiting", "progress", "completed"] }, to: "team", atMost: "1 minute" },
      { when: { kind: ["locked", "unlocked"] }, to: "team" }
    ],
    escalate: [{ after: "1 hour", to: "pager" }]
  }
}

const receivers = new Map(["team", "errors", "pager"].map((name) => [name, MemoryReceiver.makeMemoryReceiver()]))
const memory: NotifierKind = {
  check: () => [],
  make: (channel) => Effect.succeed(receivers.get(channel)!.notifier)
}
const told = (name: string) =>
  receivers
    .get(name)!
    .arrivals()
    .map(({ message }) => message.facts.kind)

const id = "DX6604E"
let cwd: string
let world: Awaited<ReturnType<typeof memoryBackend>>
const write = (value: unknown) => Fs.writeFileSync(Path.join(cwd, "signalbox.config.json"), JSON.stringify(value))
beforeAll(async () => {
  cwd = temporary("notify")
  write(config)
  Fs.writeFileSync(Path.join(cwd, ".deployment-metadata.yaml"), `deployment_id: ${id}\n`)
  world = await memoryBackend({}, new Map([["memory", memory]]))
})
afterAll(() => Fs.rmSync(cwd, { recursive: true, force: true }))

const env = { SIGNALBOX_DATABASE_URL: "memory:", SIGNALBOX_ACTOR: "ada" }
const run = (...argv: ReadonlyArray<string>) => runWith(world.backend, cwd, argv, { env })
const json = async (...argv: ReadonlyArray<string>) => {
  const ran = await run(...argv, "--json")
  return { ...ran, value: ran.stdout === "" ? undefined : JSON.parse(ran.stdout) }
}

describe("notifications of the command", () => {
  it("tells the team of a deployment, and no other channel", async () => {
    assert.strictEqual((await run("init", "--id", id)).code, 0)
    const deployed = await run("deploy", id, "--version", "v1", "--correlation-id", "release-1")
    assert.strictEqual(deployed.code, 0, deployed.stderr)
    const kinds = told("team")
    assert.strictEqual(kinds[0], "started")
    assert.strictEqual(kinds.at(-1), "completed")
    assert.isAtMost(kinds.filter((kind) => kind === "progress").length, 1)
    assert.deepStrictEqual(told("errors"), [])
  })

  it("explains which route said so", async () => {
    const { value } = await json("notify", "explain", "release-1")
    const started = value.notifications.find(({ kind }: { readonly kind: string }) => kind === "started")
    assert.deepStrictEqual([started.channel, started.why, started.status], ["team", "routes[1]", "sent"])
  })

  it("tells the team of a lock, by the route for it", async () => {
    const locked = await run("lock", "hold", id, "--reason", "moving", "--environment", "production")
    assert.strictEqual(locked.code, 0, locked.stderr)
    assert.strictEqual(told("team").at(-1), "locked")
    await run("lock", "release", id, "--reason", "moved", "--environment", "production")
    assert.strictEqual(told("team").at(-1), "unlocked")
  })

  it("sends nothing of a shared store from a folder that does not know its deployment", async () => {
    const file = Path.join(cwd, ".deployment-metadata.yaml")
    const before = told("team").length
    Fs.renameSync(file, `${file}.away`)
    const locked = await run("lock", "hold", id, "--reason", "moving", "--environment", "production")
    Fs.renameSync(`${file}.away`, file)
    assert.strictEqual(locked.code, 0, locked.stderr)
    assert.include(locked.stderr, "no notifications are sent: this folder does not say which deployment")
    assert.strictEqual(told("team").length, before)
    await run("lock", "release", id, "--reason", "moved", "--environment", "production")
    assert.deepStrictEqual(told("team").slice(before), ["locked", "unlocked"])
  })

  it("sends a test to one channel, or shows what it would send", async () => {
    const before = told("errors").length
    const dry = await json("notify", "test", "errors", "--dry-run")
    assert.strictEqual(dry.value.sent, false)
    assert.strictEqual(told("errors").length, before)
    assert.strictEqual((await run("notify", "test", "errors")).code, 0)
    assert.strictEqual(told("errors").at(-1), "test")
  })

  it("knows no other channel, and suggests one", async () => {
    const ran = await run("notify", "test", "error")
    assert.strictEqual(ran.code, 64)
    assert.include(ran.stderr, 'Did you mean "errors"?')
  })

  it("refuses a route to a channel that is not there, before anything starts", async () => {
    write({ ...config, notifications: { ...config.notifications, routes: [{ to: "teem" }] } })
    const ran = await run("notify", "flush")
    write(config)
    assert.strictEqual(ran.code, 64)
    assert.include(ran.stderr, "notifications.routes[0].to")
    assert.include(ran.stderr, 'Did you mean "team"?')
  })

  it("exits alike whether channels answer, refuse or hang", async () => {
    // How long each takes is for notifyPairs.ts to say: a loaded machine proves nothing.
    assert.deepStrictEqual((await pairs(1)).codes, [0])
  })

  it("lists the notifications of the folder's own deployment, and all on request", async () => {
    const other = temporary("notify-other")
    write(config)
    Fs.writeFileSync(Path.join(other, "signalbox.config.json"), JSON.stringify({ ...config, project: "other" }))
    Fs.writeFileSync(Path.join(other, ".deployment-metadata.yaml"), "deployment_id: DX6604F\n")
    assert.strictEqual((await runWith(world.backend, other, ["init", "--id", "DX6604F"], { env })).code, 0)
    const locked = ["lock", "hold", "DX6604F", "--reason", "moving", "--environment", "production"]
    assert.strictEqual((await runWith(world.backend, other, locked, { env })).code, 0)
    Fs.rmSync(other, { recursive: true })
    const kinds = async (...more: ReadonlyArray<string>) => {
      const { value } = await json("notify", "list", "--all", "--limit", "1000", ...more)
      return value.notifications.map(({ message }: { readonly message: Message }) => message.deployment?.id)
    }
    assert.deepStrictEqual([...new Set(await kinds())], [id])
    assert.sameMembers([...new Set(await kinds("--all-deployments"))], [id, "DX6604F"])
  })

  it("lists nothing once all is sent, and knows no notification of another name", async () => {
    assert.strictEqual((await run("notify", "flush")).code, 0)
    const { value } = await json("notify", "list")
    assert.deepStrictEqual(value, { notifications: [], unattendedSince: null })
    assert.strictEqual((await run("notify", "ack", "nothing")).code, 4)
  })
})
