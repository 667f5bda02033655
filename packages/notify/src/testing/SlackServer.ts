/**
 * Slack on loopback: `chat.postMessage`, `chat.update` and incoming webhooks, with its limits.
 */
import {
  type HttpReceiver,
  openHttpReceiver,
  type ReceivedCall,
  type ReceiverAnswer,
  type ShownNotification
} from "./HttpReceiver.ts"
import { blocksTooLarge, textsOf } from "./slackLimits.ts"

/** A message in a channel; `broadcast` replies also appear in the channel itself. */
export interface SlackMessageShown extends ShownNotification {
  readonly channel: string
  readonly broadcast: boolean
}

/** Slack, and what its channels show. Messages can be `lose`d, as when a person deletes one. */
export interface SlackServer extends HttpReceiver {
  readonly endpoint: string
  readonly webhookUrl: string
  readonly shown: () => ReadonlyArray<SlackMessageShown>
  readonly lose: (ts: string) => void
}

/**
 * Opens one on a free port.
 *
 * *Details*: it knows the `token`, and `channels` by name and ID (default `#deployments`, which is `C0DEPLOYS`).
 */
export const openSlackServer = async (
  token: string,
  channels: Readonly<Record<string, string>> = { "#deployments": "C0DEPLOYS" }
): Promise<SlackServer> => {
  const [standard = ""] = Object.values(channels)
  const messages = new Map<string, SlackMessageShown>()
  let count = 0
  const failed = (error: string): ReceiverAnswer => ({ body: JSON.stringify({ ok: false, error }) })

  const post = (body: Readonly<Record<string, unknown>>, raw: string, channel: string): string => {
    const ts = `1790000000.${String(++count).padStart(6, "0")}`
    messages.set(ts, {
      id: ts,
      under: typeof body["thread_ts"] === "string" ? body["thread_ts"] : undefined,
      text: textsOf(body),
      raw,
      changes: 0,
      channel,
      broadcast: body["reply_broadcast"] === true
    })
    return ts
  }

  const api = ({ body: raw, headers, path }: ReceivedCall): ReceiverAnswer => {
    if (headers.authorization !== `Bearer ${token}`) return failed("invalid_auth")
    const body = JSON.parse(raw) as Readonly<Record<string, unknown>>
    const error = blocksTooLarge(body)
    if (error !== undefined) return failed(error)
    const given = String(body["channel"])
    // Only a new message may name its channel.
    const id = path.endsWith("chat.postMessage") ? (channels[given] ?? given) : given
    if (!Object.values(channels).includes(id)) return failed("channel_not_found")
    const ok = (ts: string) => ({ body: JSON.stringify({ ok: true, channel: id, ts }) })
    if (path.endsWith("chat.postMessage")) {
      const thread = body["thread_ts"]
      if (typeof thread === "string" && !messages.has(thread)) return failed("thread_not_found")
      return ok(post(body, raw, id))
    }
    const ts = String(body["ts"])
    const message = messages.get(ts)
    if (message === undefined) return failed("message_not_found")
    messages.set(ts, { ...message, text: textsOf(body), raw, changes: message.changes + 1 })
    return ok(ts)
  }

  const receiver = await openHttpReceiver(
    (call) => {
      if (call.path.startsWith("/api/")) return api(call)
      const body = JSON.parse(call.body) as Readonly<Record<string, unknown>>
      if (blocksTooLarge(body) !== undefined) return { status: 400, body: "invalid_blocks" }
      post(body, call.body, standard)
      return { body: "ok" }
    },
    ({ path }) =>
      path.startsWith("/api/")
        ? { Gone: failed("is_archived"), Denied: failed("token_revoked") }
        : { Gone: { status: 410, body: "channel_is_archived" }, Denied: { status: 403, body: "action_prohibited" } }
  )
  return {
    ...receiver,
    endpoint: `${receiver.url}/api`,
    webhookUrl: `${receiver.url}/services/T0/B0/s3cr3t-path-of-a-webhook`,
    shown: () => [...messages.values()],
    lose: (ts) => void messages.delete(ts)
  }
}
