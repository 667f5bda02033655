/**
 * The channel `webhook`: signed CDEvents.
 */
import { type ChannelContext, NotifyFailure, type PlainNotifier } from "@signalbox/core/plugin"
import { call, makeAddressGuard, refusal } from "../http/index.ts"
import { resolved } from "../options/channelOptions.ts"
import { cdEvent, cloudEventHeaders, maxBytes } from "./cdEvent.ts"
import { signatureHeaders, signingKey } from "./signature.ts"
import { webhookOptions } from "./WebhookOptions.ts"

const urlOf = (text: string): URL => {
  const url = URL.parse(text)
  if (url !== null && /^https?:$/.test(url.protocol)) return url
  throw new NotifyFailure({ _tag: "Invalid", message: "the URL of the webhook is no https URL", path: ["url"] })
}

/**
 * Opens a channel.
 *
 * *Details*: the id of a delivery is its `webhook-id`, by which the receiver recognises a repeat.
 */
export const open = ({ options, secret }: ChannelContext): PlainNotifier => {
  const { allow, headers = {}, signingSecrets, url: address } = webhookOptions.read(options)
  const url = urlOf(resolved(address, secret))
  const keys = signingSecrets.map((reference, index) =>
    signingKey(secret(reference), ["signingSecrets", String(index)])
  )
  const more = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), resolved(value, secret)])
  )
  const guard = makeAddressGuard(allow, undefined, url.protocol === "http:")
  return {
    capabilities: { update: false, thread: false, acknowledge: true, dedupe: "key", limits: { bytes: maxBytes } },
    render: cdEvent,
    send: async ({ delivery, rendered, signal }) => {
      const body = JSON.stringify(rendered)
      const answer = await call({
        url,
        headers: {
          ...more,
          "user-agent": "signalbox",
          ...cloudEventHeaders(rendered),
          ...signatureHeaders(keys, delivery.id, delivery.at, body)
        },
        body,
        signal,
        guard
      })
      const reason = refusal(url.host, answer, delivery.at)
      if (reason !== undefined) throw new NotifyFailure(reason)
      return { status: answer.status }
    }
  }
}
