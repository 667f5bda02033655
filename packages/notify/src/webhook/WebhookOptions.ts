/**
 * The options of a channel of the kind `webhook`.
 */
import type { ChannelIssue } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { parseRange } from "../http/AddressGuard.ts"
import { channelOptions, isHttpUrl, SecretReference, TextOrSecret } from "../options/channelOptions.ts"

const Range = Schema.String.check(
  Schema.makeFilter<string>((text) => parseRange(text) !== undefined, {
    expected: "an address or a range of addresses, such as 10.2.0.0/16"
  })
)

/**
 * The options of a webhook.
 *
 * *Details*:
 * - `url` of the receiver; a reference to a secret if it contains one
 * - `signingSecrets` one to four references to secrets of the form `whsec_…`: each signs, so that a new one can be added before
 *   the old one is removed
 * - `headers` further ones, such as an authorization
 * - `allow` private addresses that the receiver may have, such as `10.2.0.0/16`; only there `http` is possible
 */
export const WebhookOptions = Schema.Struct({
  url: Schema.Union([Schema.String.check(isHttpUrl), SecretReference]),
  signingSecrets: Schema.Array(SecretReference).check(Schema.isMinLength(1), Schema.isMaxLength(4)),
  headers: Schema.optionalKey(Schema.Record(Schema.String, TextOrSecret)),
  allow: Schema.optionalKey(Schema.Array(Range))
})
export type WebhookOptions = typeof WebhookOptions.Type

/** Headers that the channel writes itself. */
const own = /^(webhook-|ce-|content-|host$|connection$|transfer-encoding$)/i

const further = ({ allow = [], headers = {}, url }: WebhookOptions): ReadonlyArray<ChannelIssue> => [
  ...(typeof url === "string" && url.startsWith("http:") && allow.length === 0
    ? [
        {
          path: ["url"],
          message: "http is possible only in private networks",
          hint: 'Use https, or name the network of the receiver in "allow".'
        }
      ]
    : []),
  ...Object.entries(headers).flatMap(([name, value]) =>
    own.test(name) || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)
      ? [{ path: ["headers", name], message: `${name} is no header that a channel may set` }]
      : typeof value === "string" && /[^\t\x20-\x7e\x80-\xff]/.test(value)
        ? [{ path: ["headers", name], message: `the value of ${name} does not fit in a header` }]
        : []
  )
]

export const webhookOptions = channelOptions(WebhookOptions, further)
