/**
 * The channel `pagerduty`: alerts for what needs a person, change events for the rest.
 */
import { type ChannelContext, NotifyFailure, type PlainNotifier } from "@signalbox/core/plugin"
import type { NotifyReason } from "@signalbox/core/spi"
import { call, type HttpAnswer, makeAddressGuard, refusal } from "../http/index.ts"
import { dedupKey, maxBytes, type PagerDutyEvent, pagerDutyEvents } from "./pagerDutyEvents.ts"
import { pagerDutyOptions } from "./PagerDutyOptions.ts"

const reasonOf = (host: string, answer: HttpAnswer, now: number): NotifyReason | undefined =>
  answer.status === 400 && /routing.?key/i.test(answer.body)
    ? {
        _tag: "Denied",
        message: `${host} does not know the integration key`,
        hint: "Take the key of an integration of the kind Events API v2."
      }
    : refusal(host, answer, now)

/**
 * Opens a channel.
 */
export const open = ({ options, secret }: ChannelContext): PlainNotifier => {
  const { allow, endpoint = "https://events.pagerduty.com", routingKey } = pagerDutyOptions.read(options)
  const routing_key = secret(routingKey)
  const guard = makeAddressGuard(allow, undefined, endpoint.startsWith("http:"))
  return {
    capabilities: {
      update: false,
      thread: false,
      acknowledge: true,
      dedupe: "update",
      limits: { bytes: maxBytes, perMinute: 120 }
    },
    render: pagerDutyEvents,
    send: async ({ delivery, rendered, signal }) => {
      const { at, earlier, id, message } = delivery
      for (const { body, path } of rendered as unknown as ReadonlyArray<PagerDutyEvent>) {
        // Change events have no key: one that was sent is not sent again.
        if (body["dedup_key"] === undefined && earlier?.["last"] === id) continue
        const url = new URL(path, endpoint)
        const headers = { "content-type": "application/json" }
        const text = JSON.stringify({ ...body, routing_key })
        const answer = await call({ url, headers, body: text, signal, guard, timeoutMs: 12_000 })
        const reason = reasonOf(url.host, answer, at)
        if (reason !== undefined) throw new NotifyFailure(reason)
      }
      return { dedupKey: dedupKey(message), last: id }
    }
  }
}
