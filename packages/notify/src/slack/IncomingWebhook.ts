import { NotifyFailure, type PlainNotifier } from "@signalbox/core/plugin"
import { call, makeAddressGuard, refusal } from "../http/index.ts"
import { maxBytes, rootMessage } from "./blocks.ts"
import { slackReason } from "./slackReason.ts"

/**
 * Slack by an incoming webhook: every notification is a message of its own, because a webhook does not say where it posted.
 */
export const openIncomingWebhook = (address: string, allow: ReadonlyArray<string> | undefined): PlainNotifier => {
  const url = URL.parse(address)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw new NotifyFailure({ _tag: "Invalid", message: "the webhook is no https URL", path: ["webhookUrl"] })
  }
  const guard = makeAddressGuard(allow, undefined, url.protocol === "http:")
  return {
    capabilities: {
      update: false,
      thread: false,
      acknowledge: true,
      dedupe: "none",
      limits: { bytes: maxBytes, perMinute: 60 }
    },
    render: (message, text) => ({ ...rootMessage(message, text) }),
    send: async ({ delivery, rendered, signal }) => {
      const headers = { "content-type": "application/json" }
      const answer = await call({ url, headers, body: JSON.stringify(rendered), signal, guard })
      const reason = refusal(url.host, answer, delivery.at)
      if (reason === undefined) return { status: answer.status }
      // Other than its API, webhooks answer with a status and the error as text.
      const isError = [400, 403, 404, 410].includes(answer.status) && /^[a-z_]+$/.test(answer.body)
      throw new NotifyFailure(isError ? slackReason(answer.body) : reason)
    }
  }
}
