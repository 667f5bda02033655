/** Channels of the plug-in as the engine opens them, and receivers that end with the test. */
import { notifiersOf } from "@signalbox/core/plugin"
import type { Delivery, Json, Message, Notifier, NotifyError } from "@signalbox/core/spi"
import { messageText } from "@signalbox/core/spi"
import type { NotifierSuite } from "@signalbox/core/testing"
import * as Effect from "effect/Effect"
import { notify } from "../../src/index.ts"
import type { HttpReceiver, ShownNotification } from "../../src/testing/index.ts"

type Env = Readonly<Record<string, string>>

/** The kind, as the engine has it. */
export const kindOf = (kind: string, env: Env = {}) =>
  notifiersOf([notify()], { directory: ".", stateDirectory: ".signalbox" }, (name) => env[name]).get(kind)!

/** Opens a channel `ops`. */
export const opened = (kind: string, options: Json, env: Env = {}): Effect.Effect<Notifier, NotifyError> =>
  kindOf(kind, env).make("ops", options)

/** A receiver that is closed with the scope. */
export const scoped = <R extends { readonly close: () => Promise<void> }>(open: () => Promise<R>) =>
  Effect.acquireRelease(Effect.promise(open), ({ close }) => Effect.promise(close))

/** What the suite needs of a channel and its receiver. */
export const harness = (
  receiver: HttpReceiver & { readonly shown: () => ReadonlyArray<ShownNotification> },
  open: Effect.Effect<Notifier, NotifyError>
): Effect.Effect<NotifierSuite.NotifierHarness, NotifyError> =>
  Effect.map(open, (notifier) => ({
    notifier,
    another: open,
    received: Effect.sync(receiver.shown),
    connections: Effect.sync(receiver.connections),
    fault: (fault) => Effect.sync(() => receiver.fault(fault))
  }))

/** Sends a message as one delivery. */
export const send = (notifier: Notifier, message: Message, more: Partial<Delivery> = {}) =>
  notifier.send(
    { id: "d-1", thread: message.stream, attempt: 1, at: Date.now(), earlier: null, message, ...more },
    notifier.render(message, messageText(message))
  )
