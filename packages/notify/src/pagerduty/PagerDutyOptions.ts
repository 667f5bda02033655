/**
 * The options of a channel of the kind `pagerduty`.
 */
import * as Schema from "effect/Schema"
import { allowed, channelOptions, isHttpUrl, SecretReference } from "../options/channelOptions.ts"

/**
 * The options of PagerDuty.
 *
 * *Details*: `routingKey` is a reference to the integration key of a service (Events API v2); `endpoint` (default
 * `https://events.pagerduty.com`, in the EU `https://events.eu.pagerduty.com`), and `allow` as for webhooks.
 */
export const PagerDutyOptions = Schema.Struct({
  routingKey: SecretReference,
  endpoint: Schema.optionalKey(Schema.String.check(isHttpUrl)),
  allow: allowed
})
export type PagerDutyOptions = typeof PagerDutyOptions.Type

export const pagerDutyOptions = channelOptions(PagerDutyOptions)
