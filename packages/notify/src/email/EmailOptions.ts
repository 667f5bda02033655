/**
 * The options of a channel of the kind `email`.
 */
import type { ChannelIssue } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { channelOptions, SecretReference } from "../options/channelOptions.ts"

const Address = Schema.String.check(
  Schema.isPattern(/^[^\s@<>,;:"()[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/, {
    expected: "an address, such as deployments@example.com"
  })
)

/**
 * The options of mail by SMTP.
 *
 * *Details*:
 * - `host` of the server, and its `port` (default by `security`: 587, 465, 25)
 * - `security` `starttls` (default; without it nothing is sent), `tls` from the first byte, or `none`, which sends no password
 * - `user` and `password`, a reference to a secret; neither for a server that knows its clients otherwise
 * - `from` one address, `to` one to fifty
 */
export const EmailOptions = Schema.Struct({
  host: Schema.String.check(Schema.isPattern(/^[A-Za-z0-9.:-]{1,253}$/, { expected: "the name of a host" })),
  port: Schema.optionalKey(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 65_535 }))),
  security: Schema.optionalKey(Schema.Literals(["starttls", "tls", "none"])),
  user: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  password: Schema.optionalKey(SecretReference),
  from: Address,
  to: Schema.Array(Address).check(Schema.isMinLength(1), Schema.isMaxLength(50))
})
export type EmailOptions = typeof EmailOptions.Type

const further = ({ password, security, user }: EmailOptions): ReadonlyArray<ChannelIssue> => [
  ...((password === undefined) === (user === undefined)
    ? []
    : [{ path: [user === undefined ? "user" : "password"], message: '"user" and "password" belong together' }]),
  ...(password !== undefined && security === "none"
    ? [{ path: ["security"], message: "a password is not sent unencrypted", hint: 'Use "starttls" or "tls".' }]
    : [])
]

export const emailOptions = channelOptions(EmailOptions, further)
