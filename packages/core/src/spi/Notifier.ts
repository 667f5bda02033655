/**
 * The port of a notifier: renders notifications for one channel and sends them.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Message } from "../domain/notification/index.ts"
import { Json } from "../domain/Release.ts"
import type { MessageText } from "../text/notification/messageText.ts"
import type { NotifyError } from "./NotifyError.ts"

/**
 * What a notifier can do.
 *
 * *Details*:
 * - `update` a later notification of an execution changes what the receiver shows of it already
 * - `thread` details of an execution appear under its first notification
 * - `acknowledge` the receiver is told about acknowledgements (kind `acknowledged`)
 * - `dedupe` what a repeat of a delivery does: the receiver drops it by its key (`key`), it changes what is already there
 *   (`update`), or it is shown twice (`none`)
 * - `limits.bytes` the maximum of a rendered notification as JSON in UTF-8; `limits.perMinute` how many the receiver
 *   takes
 */
export const NotifierCapabilities = Schema.Struct({
  update: Schema.Boolean,
  thread: Schema.Boolean,
  acknowledge: Schema.Boolean,
  dedupe: Schema.Literals(["key", "update", "none"]),
  limits: Schema.Struct({
    bytes: Schema.Int,
    perMinute: Schema.optionalKey(Schema.Int)
  })
})
export type NotifierCapabilities = typeof NotifierCapabilities.Type

/**
 * What the receiver answered, as JSON without secrets: stored, and given to later deliveries.
 *
 * *Details*: at most 4,096 characters.
 */
export const Receipt = Schema.Record(Schema.String, Json)
export type Receipt = typeof Receipt.Type

/**
 * A notification on its way to one channel.
 *
 * *Details*: `id` is the same for every attempt: the key by which the receiver recognises a repeat. `thread` is the same for
 * all deliveries of an execution (or a deployment) to all channels. `earlier` is the receipt of the delivery of this thread
 * that the channel got last, perhaps from another process; null if there is none. `at` is the time of this attempt.
 */
export interface Delivery {
  readonly id: string
  readonly thread: string
  readonly attempt: number
  readonly at: number
  readonly earlier: Receipt | null
  readonly message: Message
}

/**
 * Sends notifications to one channel.
 *
 * *Details*: `render` is pure and fast, and returns JSON; it escapes what the channel would take for markup and keeps within
 * `limits`. `send` makes one attempt: the engine repeats, waits and gives up. It ends within 30 seconds, and interruption
 * closes its connections. What it sends may hold secrets; what `render` returns, the receipt and errors never do.
 *
 * *Errors*: `NotifyError`.
 */
export interface Notifier {
  readonly kind: string
  readonly capabilities: NotifierCapabilities
  readonly render: (message: Message, text: MessageText) => Json
  readonly send: (delivery: Delivery, rendered: Json) => Effect.Effect<Receipt, NotifyError>
}

/** A mistake in the options of a channel. */
export interface ChannelIssue {
  readonly path: ReadonlyArray<string | number>
  readonly message: string
  readonly expected?: string
  readonly hint?: string
}

/**
 * A kind of notifier that channels can name in `kind`.
 *
 * *Details*: `check` returns the mistakes in a channel's options and only reads them. `make` opens a channel; secrets in
 * `options` are references there, which it resolves.
 */
export interface NotifierKind {
  readonly check: (options: Json) => ReadonlyArray<ChannelIssue>
  readonly make: (channel: string, options: Json) => Effect.Effect<Notifier, NotifyError>
}

/** The installed kinds of notifiers, by name; by default none. */
export const NotifierKinds = Context.Reference<ReadonlyMap<string, NotifierKind>>(
  "@signalbox/core/spi/Notifier/NotifierKinds",
  { defaultValue: () => new Map() }
)
