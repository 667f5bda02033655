import { assert, describe, it } from "@effect/vitest"
import { NotifyWorker, Signalbox } from "@signalbox/core/engine"
import { fromNotifier, type PluginNotifier } from "@signalbox/core/plugin"
import { DeploymentStore, Notifications, notificationSetup, NotificationsSpec, Providers } from "@signalbox/core/spi"
import { layerMemory } from "@signalbox/core/store"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { ackLinks } from "../../src/notify/ackLinks.ts"
import { requested, transition } from "./storm.ts"

const settings = Schema.decodeUnknownSync(NotificationsSpec)({
  channels: { team: { kind: "memory" }, pager: { kind: "memory" } },
  routes: [{ to: "team" }],
  escalate: [{ after: "1 hour", to: "pager" }],
  acknowledge: { url: "https://deployments.example.com/ack?from=team", secret: { $secret: "ACK" }, validFor: "1 day" }
})
const made = ackLinks(settings, () => "a secret of the project")!
const day = 24 * 60 * 60_000

describe("links that acknowledge", () => {
  it("hold for their notification, until they expire", () => {
    const link = made.link("d-1", 1_000)
    assert.deepStrictEqual(made.accept(link, 1_000), { _tag: "Accepted", id: "d-1" })
    assert.deepStrictEqual(made.accept(link, 1_000 + day - 1), { _tag: "Accepted", id: "d-1" })
    assert.deepStrictEqual(made.accept(link, 1_000 + day), { _tag: "Expired" })
  })

  it.each([
    ["another notification", (link: string) => link.replace("d-1", "d-2")],
    ["a later end", (link: string) => link.replace("86401000", "96401000")],
    ["no signature", (link: string) => link.replace(/&signature=.*/, "")],
    ["half a signature", (link: string) => link.slice(0, -20)],
    ["no link", () => "https://"]
  ])("are refused with %s", (_, change) => {
    assert.deepStrictEqual(made.accept(change(made.link("d-1", 1_000)), 1_000), { _tag: "Invalid" })
  })

  it("of another secret are refused, and without a secret there are none", () => {
    const other = ackLinks(settings, () => "another secret")!
    assert.deepStrictEqual(made.accept(other.link("d-1", 1_000), 1_000), { _tag: "Invalid" })
    assert.isUndefined(ackLinks(settings, () => undefined))
  })

  it.live("come with what escalates, are not stored, and stop it", () =>
    Effect.gen(function* () {
      const links: Array<string> = []
      const plugin: PluginNotifier = {
        load: () => ({
          capabilities: { update: false, thread: false, acknowledge: false, dedupe: "none", limits: { bytes: 20_000 } },
          render: (_, text) => text.links.map(({ label, url }) => `${label} ${url}`),
          send: async ({ rendered }) => {
            links.push(...(rendered as ReadonlyArray<string>))
            return {}
          }
        })
      }
      const kind = fromNotifier("memory", plugin, { directory: ".", stateDirectory: "." }, () => undefined)
      const setup = notificationSetup({ settings, kinds: new Map([["memory", kind]]), ackLinks: made })
      const store = yield* DeploymentStore
      yield* store.append({ stream: "e-1", events: [requested("e-1")], owes: true })
      yield* store.append({ stream: "e-1", events: [transition("failed", 0)], owes: true })
      const flush = Effect.scoped(
        Effect.flatMap(NotifyWorker.make(setup), (worker) => worker.flush(Duration.seconds(5)))
      )
      yield* flush
      const [label, link = ""] = links[0]?.split(" ") ?? []
      assert.strictEqual(label, "Acknowledge")
      assert.notInclude(JSON.stringify(yield* store.outbox.deliveries({})), "signature")
      const { notices } = yield* Signalbox
      const acknowledge = (given: string) =>
        Effect.provideService(notices.acknowledge(given, { by: "ada" }), Notifications, Effect.succeed(setup))
      const refused = yield* Effect.flip(acknowledge(`${link}x`))
      assert.strictEqual("code" in refused ? refused.code : refused._tag, "ack_link_invalid")
      yield* acknowledge(link)
      yield* flush
      const rows = yield* store.outbox.deliveries({ channel: "pager" })
      assert.deepStrictEqual(
        rows.map(({ status }) => status),
        ["acknowledged"]
      )
    }).pipe(
      Effect.provide(Signalbox.layer.pipe(Layer.provideMerge(layerMemory), Layer.provideMerge(Providers.layer([]))))
    )
  )
})
