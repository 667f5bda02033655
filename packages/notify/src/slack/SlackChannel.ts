/**
 * The channel `slack`: one message for each execution, which is changed in place, with the details in its thread.
 */
import { type ChannelContext, NotifyFailure, type PlainNotifier } from "@signalbox/core/plugin"
import type { Delivery, Json, Message, MessageText } from "@signalbox/core/spi"
import { makeAddressGuard } from "../http/index.ts"
import { maxBytes, rootMessage, threadMessage } from "./blocks.ts"
import { callSlack, type SlackAnswer } from "./SlackApi.ts"
import { slackOptions } from "./SlackOptions.ts"
import { isLost, slackReason } from "./slackReason.ts"
import { openIncomingWebhook } from "./IncomingWebhook.ts"

/** A message is changed at most this often, except by a change of state. */
const updateEvery = 3_000

/** These change the message in the channel and need no line of their own in the thread. */
const rootOnly: ReadonlySet<string> = new Set(["started", "waiting", "progress"])
/** A reply is easily overlooked: these also appear in the channel. */
const loud: ReadonlySet<string> = new Set(["failed", "rolled_back"])

const render = (message: Message, text: MessageText): Json => ({
  root: { ...rootMessage(message, text) },
  ...(rootOnly.has(message.facts.kind) ? {} : { reply: { ...threadMessage(message, text) } })
})

interface Rendered {
  readonly root: object
  readonly reply?: object
}

/** Where the message of an execution is: what the receipt says. */
interface Place {
  readonly channel: string
  readonly ts: string
  readonly last: string
  readonly at: number
}

const placeOf = ({ earlier }: Delivery): Place | undefined =>
  typeof earlier?.["channel"] === "string" && typeof earlier["ts"] === "string"
    ? {
        channel: earlier["channel"],
        ts: earlier["ts"],
        last: String(earlier["last"]),
        at: Number(earlier["at"] ?? 0)
      }
    : undefined

const must = (answer: SlackAnswer): SlackAnswer => {
  if (answer.ok) return answer
  throw new NotifyFailure(slackReason(answer.error))
}

/**
 * Opens a channel.
 *
 * *Details*: of the calls of one delivery, the last one adds a message and the others only change one, so that a repeat after a
 * failure between them adds none.
 */
export const open = ({ options, secret }: ChannelContext): PlainNotifier => {
  const { allow, channel, endpoint = "https://slack.com/api", token, webhookUrl } = slackOptions.read(options)
  if (webhookUrl !== undefined) return openIncomingWebhook(secret(webhookUrl), allow)
  const api = {
    endpoint: endpoint.replace(/\/$/, ""),
    token: secret(token),
    guard: makeAddressGuard(allow, undefined, endpoint.startsWith("http:"))
  }
  const quiet = { unfurl_links: false, unfurl_media: false }
  return {
    capabilities: {
      update: true,
      thread: true,
      acknowledge: true,
      dedupe: "update",
      limits: { bytes: 2 * maxBytes + 100, perMinute: 50 }
    },
    render,
    send: async ({ delivery, rendered, signal }) => {
      const { reply, root } = rendered as unknown as Rendered
      const { at, id, message } = delivery
      const ask = (method: string, body: object) => callSlack(api, method, body, { now: at, signal })
      const begin = async () => {
        const { channel: posted, ts } = must(await ask("chat.postMessage", { ...root, ...quiet, channel }))
        return { channel: posted, ts, last: id, at }
      }
      const place = placeOf(delivery)
      if (place === undefined) return begin()
      const isSoon = message.facts.kind === "progress" && at - place.at < updateEvery
      if (isSoon) return { ...place, last: id }
      const where = { channel: place.channel }
      const updated = await ask("chat.update", { ...root, ...where, ts: place.ts })
      if (!updated.ok && isLost(updated.error)) return begin()
      must(updated)
      if (reply !== undefined && place.last !== id) {
        const broadcast = loud.has(message.facts.kind)
        must(
          await ask("chat.postMessage", {
            ...reply,
            ...quiet,
            ...where,
            thread_ts: place.ts,
            ...(broadcast ? { reply_broadcast: true } : {})
          })
        )
      }
      return { ...place, last: id, at }
    }
  }
}
