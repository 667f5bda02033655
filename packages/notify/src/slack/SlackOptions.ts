/**
 * The options of a channel of the kind `slack`.
 */
import type { ChannelIssue } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { allowed, channelOptions, isHttpUrl, SecretReference } from "../options/channelOptions.ts"

/**
 * The options of Slack: a bot, or an incoming webhook.
 *
 * *Details*:
 * - `token` a reference to the token of a bot, `xoxb-…`, with the scope `chat:write`
 * - `channel` where it posts: an ID such as `C0123ABCD` (recommended), or a name such as `#deployments`
 * - `webhookUrl` in place of both: a reference to the URL of an incoming webhook, which neither updates nor has threads
 * - `endpoint` of the API (default `https://slack.com/api`), and `allow` as for webhooks
 */
export const SlackOptions = Schema.Struct({
  token: Schema.optionalKey(SecretReference),
  channel: Schema.optionalKey(
    Schema.String.check(
      Schema.isPattern(/^([CGD][A-Z0-9]{6,}|#[^\s#<>]{1,80})$/, {
        expected: "the ID of a channel, such as C0123ABCD, or its name with #"
      })
    )
  ),
  webhookUrl: Schema.optionalKey(SecretReference),
  endpoint: Schema.optionalKey(Schema.String.check(isHttpUrl)),
  allow: allowed
})
export type SlackOptions = typeof SlackOptions.Type

const further = ({ channel, token, webhookUrl }: SlackOptions): ReadonlyArray<ChannelIssue> => {
  const hint = 'Give "token" and "channel" of a bot, or "webhookUrl" alone.'
  if (webhookUrl !== undefined) {
    const [extra] = [token === undefined ? [] : ["token"], channel === undefined ? [] : ["channel"]].flat()
    return extra === undefined ? [] : [{ path: [extra], message: "an incoming webhook has its own channel", hint }]
  }
  return [
    ...(token === undefined ? [{ path: ["token"], message: "the token of the bot is missing", hint }] : []),
    ...(channel === undefined ? [{ path: ["channel"], message: "the channel is missing", hint }] : [])
  ]
}

export const slackOptions = channelOptions(SlackOptions, further)
