import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { effectNotifier, fromNotifier, NotifyFailure, type PluginNotifier } from "../../src/plugin/index.ts"
import type { Delivery } from "../../src/spi/index.ts"
import { MemoryReceiver, NotifierSuite, sampleMessage } from "../../src/testing/index.ts"
import { messageText } from "../../src/text/index.ts"

const context = { directory: ".", stateDirectory: ".signalbox" }
const { allCapabilities, makeMemoryReceiver } = MemoryReceiver

NotifierSuite.suite("a notifier that passes the plug-in boundary", {
  capabilities: allCapabilities,
  faults: NotifierSuite.allFaults,
  make: Effect.gen(function* () {
    const receiver = makeMemoryReceiver()
    const plugin = effectNotifier(() => ({ check: () => [], make: () => Effect.succeed(receiver.notifier) }))
    return { ...receiver, notifier: yield* fromNotifier("memory", plugin, context, () => undefined).make("ops", {}) }
  })
})

const message = sampleMessage("failed")
const delivery: Delivery = { id: "d-1", thread: "e-2", attempt: 1, at: 1, earlier: null, message }
const capabilities = allCapabilities

const opened = (plugin: PluginNotifier, env: Readonly<Record<string, string>> = {}) =>
  fromNotifier("hook", plugin, context, (name) => env[name]).make("ops", { token: { $secret: "TOKEN" } })

it.effect("masks the secrets of a channel in what it renders, returns and reports", () =>
  Effect.gen(function* () {
    let fails = false
    const notifier = yield* opened(
      {
        load: ({ options, secret }) => {
          const token = secret((options as { readonly token: unknown }).token)
          return {
            capabilities,
            render: () => ({ authorization: `Bearer ${token}` }),
            send: async () => {
              if (fails) throw new NotifyFailure({ _tag: "Denied", message: `401 for ${token}`, hint: `not ${token}` })
              return { used: token }
            }
          }
        }
      },
      { TOKEN: "s3cr3t-value" }
    )
    const rendered = notifier.render(message, messageText(message))
    const receipt = yield* notifier.send(delivery, rendered)
    fails = true
    const error = yield* Effect.flip(notifier.send(delivery, rendered))
    assert.notInclude(JSON.stringify([rendered, receipt, error.info, error.message]), "s3cr3t-value")
    assert.strictEqual(error.reason._tag, "Denied")
  })
)

it.effect("names the variable of a secret that is not set", () =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(
      opened({
        load: ({ options, secret }) => {
          secret((options as { readonly token: unknown }).token)
          throw new Error("not reached")
        }
      })
    )
    assert.strictEqual(error.reason._tag, "Denied")
    assert.include(error.message, "TOKEN")
  })
)

it.effect("takes an unknown error for perhaps sent, and a wrong receipt too", () =>
  Effect.gen(function* () {
    const answers: ReadonlyArray<() => Promise<never>> = [
      async () => {
        throw new TypeError("fetch failed")
      },
      async () => "ok" as never
    ]
    for (const send of answers) {
      const notifier = yield* opened({ load: () => ({ capabilities, render: () => ({}), send }) })
      const error = yield* Effect.flip(notifier.send(delivery, {}))
      assert.isTrue(error.maybeSent)
    }
  })
)

it.effect("sends nothing that is no JSON", () =>
  Effect.gen(function* () {
    const notifier = yield* opened({
      load: () => ({
        capabilities,
        render: () => ({ at: undefined }) as never,
        send: async () => ({})
      })
    })
    const error = yield* Effect.flip(notifier.send(delivery, notifier.render(message, messageText(message))))
    assert.strictEqual(error.reason._tag, "Invalid")
  })
)
