/**
 * A notifier without Effect. See `Notifier` for what it has to do.
 */
import type { Abort } from "./Abort.ts"
import type { Message } from "../domain/notification/index.ts"
import type { Json } from "../domain/Release.ts"
import type { ChannelIssue, Delivery, NotifierCapabilities, Receipt } from "../spi/Notifier.ts"
import type { NotifyReason } from "../spi/NotifyError.ts"
import type { MessageText } from "../text/notification/messageText.ts"
import type { PluginContext } from "./PluginContext.ts"

/**
 * One channel, to send notifications to.
 *
 * *Errors*: `send` fails by rejecting with an error that has a `reason`, as `NotifyFailure` does. Any other error counts as
 * `Unknown`: the receiver may have the notification.
 */
export interface PlainNotifier {
  readonly capabilities: NotifierCapabilities
  readonly render: (message: Message, text: MessageText) => Json
  readonly send: (call: {
    readonly signal: Abort
    readonly delivery: Delivery
    readonly rendered: Json
  }) => Promise<Receipt>
}

/**
 * Where a channel is used.
 *
 * *Details*: `channel` is its name and `options` its own options, where secrets are references (`{ "$secret": "NAME" }`).
 * `secret` resolves one; it fails with the reason `Denied` if the variable is not set.
 */
export interface ChannelContext extends PluginContext {
  readonly channel: string
  readonly options: Json
  readonly secret: (reference: unknown) => string
}

/**
 * A kind of notifier of a plug-in, for channels whose `kind` names it.
 *
 * *Details*: `check` returns the mistakes in a channel's options and only reads them.
 */
export interface PluginNotifier {
  readonly check?: (options: Json) => ReadonlyArray<ChannelIssue>
  readonly load: (context: ChannelContext) => PlainNotifier | Promise<PlainNotifier>
}

/**
 * The error of a notifier that does not use Effect.
 *
 * *Example*
 *
 * ```ts
 * throw new NotifyFailure({ _tag: "RateLimited", message: "too many messages", retryAfterMs: 1_000 })
 * ```
 */
export class NotifyFailure extends Error {
  override readonly name = "NotifyFailure"
  readonly reason: NotifyReason
  constructor(reason: NotifyReason) {
    super(reason.message)
    this.reason = reason
  }
}
