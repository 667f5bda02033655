/**
 * A channel for ntfy, which pushes to phones, as a plug-in without Effect. It imports types only: nothing of Signalbox is loaded
 * with it.
 */
import type { ChannelContext, PlainNotifier, Plugin } from "@signalbox/core/plugin"
import type { Json, NotifyReason } from "@signalbox/core/spi"

const priorities = { critical: 5, warning: 4, info: 3 } as const

/** ntfy takes 4,096 bytes of a message. */
const limits = { bytes: 4_096, perMinute: 60 }

const failure = (reason: NotifyReason): Error => Object.assign(new Error(reason.message), { reason })

/** Texts are cut so that the whole fits, even if every character takes six bytes. */
const cut = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…` : text

const isOptions = (options: Json): options is { readonly server: string; readonly topic: string } => {
  const { server, topic } = (options ?? {}) as { readonly server?: unknown; readonly topic?: unknown }
  return typeof server === "string" && URL.canParse(server) && typeof topic === "string" && /^[\w-]{1,64}$/.test(topic)
}

const refused = (status: number, headers: Headers): NotifyReason => {
  const message = `ntfy answers ${status}`
  if (status === 429) {
    return { _tag: "RateLimited", message, retryAfterMs: Number(headers.get("retry-after") ?? 30) * 1_000 }
  }
  if (status === 401 || status === 403) return { _tag: "Denied", message, hint: "Check the token of the channel." }
  if (status === 404 || status === 410) return { _tag: "Gone", message }
  if (status === 413) return { _tag: "TooLarge", message }
  return status >= 500 ? { _tag: "Unavailable", message } : { _tag: "Invalid", message }
}

/** Before a connection exists, the receiver has nothing; later it may. */
const lost = (error: unknown): NotifyReason => {
  const { cause } = error as { readonly cause?: { readonly code?: string } }
  return ["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "UND_ERR_CONNECT_TIMEOUT"].includes(cause?.code ?? "")
    ? { _tag: "Unavailable", message: "ntfy cannot be reached" }
    : { _tag: "Unknown", message: "the connection to ntfy ended without an answer" }
}

const open = ({ options, secret }: ChannelContext): PlainNotifier => {
  if (!isOptions(options)) throw failure({ _tag: "Invalid", message: "server or topic is wrong" })
  const { server, topic, token } = options as typeof options & { readonly token?: unknown }
  const authorization = token === undefined ? {} : { authorization: `Bearer ${secret(token)}` }
  return {
    capabilities: { update: false, thread: false, acknowledge: true, dedupe: "none", limits },
    render: ({ severity }, { lines, links, title }) => ({
      topic,
      title: cut(title, 200),
      message: cut(lines.slice(-5).join("\n"), 300) || cut(title, 200),
      priority: priorities[severity],
      ...(links[0] === undefined || links[0].url.length > 300 ? {} : { click: links[0].url })
    }),
    send: async ({ rendered, signal }) => {
      const response = await fetch(server, {
        method: "POST",
        headers: { "content-type": "application/json", ...authorization },
        body: JSON.stringify(rendered),
        redirect: "error",
        signal: AbortSignal.any([signal, AbortSignal.timeout(15_000)])
      }).catch((error: unknown) => {
        throw failure(lost(error))
      })
      await response.body?.cancel()
      if (!response.ok) throw failure(refused(response.status, response.headers))
      return { status: response.status }
    }
  }
}

/** Brings the kind `ntfy`, with the options `server`, `topic` and, as a reference to a secret, `token`. */
export const ntfy = (): Plugin => ({
  name: "@signalbox-examples/sdk-notifier-plain",
  spiVersion: 1,
  notifiers: {
    ntfy: {
      check: (options) =>
        isOptions(options)
          ? []
          : [
              {
                path: [],
                message: "server or topic is wrong",
                hint: 'Such as { "server": "https://ntfy.sh", "topic": "shop" }'
              }
            ],
      load: open
    }
  }
})

export default ntfy
