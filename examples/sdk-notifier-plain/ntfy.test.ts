import { notifiersOf } from "@signalbox/core/plugin"
import { NotifierSuite } from "@signalbox/core/testing"
import { openHttpReceiver, type ShownNotification } from "@signalbox/notify/testing"
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { expect, it } from "vitest"
import { ntfy } from "./index.ts"

const token = "tk_planted00000000000000000000"

/** ntfy on loopback. */
const openNtfy = async () => {
  const shown: Array<ShownNotification> = []
  const receiver = await openHttpReceiver(({ body, headers }) => {
    if (headers.authorization !== `Bearer ${token}`) return { status: 401 }
    if (Buffer.byteLength(body) > 4_096) return { status: 413 }
    const { message, title } = JSON.parse(body) as { readonly message: string; readonly title: string }
    shown.push({ id: String(shown.length), text: `${title}\n${message}`, raw: body, changes: 0 })
    return {}
  })
  return { ...receiver, shown: () => shown }
}

const kinds = notifiersOf([ntfy()], { directory: ".", stateDirectory: ".signalbox" }, () => token)

NotifierSuite.suite("a channel without Effect", {
  capabilities: {
    update: false,
    thread: false,
    acknowledge: true,
    dedupe: "none",
    limits: { bytes: 4_096, perMinute: 60 }
  },
  faults: NotifierSuite.allFaults,
  secrets: [token],
  make: Effect.gen(function* () {
    const receiver = yield* Effect.acquireRelease(Effect.promise(openNtfy), ({ close }) => Effect.promise(close))
    const options = { server: receiver.url, topic: "shop", token: { $secret: "NTFY_TOKEN" } }
    return {
      notifier: yield* kinds.get("ntfy")!.make("phones", options),
      received: Effect.sync(receiver.shown),
      connections: Effect.sync(receiver.connections),
      fault: (fault) => Effect.sync(() => receiver.fault(fault))
    }
  })
})

it("takes at most 120 lines and nothing of Signalbox but types", () => {
  const source = readFileSync(join(import.meta.dirname, "index.ts"), "utf8")
  expect(source.split("\n").length).toBeLessThanOrEqual(120)
  expect(source.match(/^import (?!type)/gm)).toBeNull()
})
