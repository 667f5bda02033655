/**
 * The options of a channel: what they may hold, and how they are read.
 */
import { type ChannelIssue, decodeProperties, type Json } from "@signalbox/core/spi"
import { NotifyFailure } from "@signalbox/core/plugin"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** A reference to a secret: the name of the variable that holds it. */
export const SecretReference = Schema.Struct({ $secret: Schema.String.check(Schema.isMinLength(1)) })
export type SecretReference = typeof SecretReference.Type

/** Text, or a reference to a secret. */
export const TextOrSecret = Schema.Union([Schema.String.check(Schema.isMinLength(1)), SecretReference])

/** The URL of a receiver, without a password in it. */
export const isHttpUrl = Schema.makeFilter<string>(
  (text) => {
    const url = URL.parse(text)
    return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === ""
  },
  { expected: "an https URL without a password" }
)

/** Resolves a reference to a secret, and passes on other text. */
export const resolved = (value: string | SecretReference, secret: (reference: unknown) => string): string =>
  typeof value === "string" ? value : secret(value)

type OptionsSchema = Schema.Codec<unknown, unknown> & { readonly fields: Schema.Struct.Fields }

/**
 * The checks of a kind of channel.
 *
 * *Details*: `further` finds what a schema cannot say. `read` fails with the reason `Invalid` on the first mistake.
 */
export const channelOptions = <S extends OptionsSchema>(
  schema: S,
  further: (options: S["Type"]) => ReadonlyArray<ChannelIssue> = () => []
) => {
  const decode = (options: Json) => Effect.runSync(Effect.result(decodeProperties(schema)(options)))
  const check = (options: Json): ReadonlyArray<ChannelIssue> => {
    const decoded = decode(options)
    if (Result.isSuccess(decoded)) return further(decoded.success)
    const reason = decoded.failure
    const { hint, message } = reason
    return [
      {
        path: reason._tag === "Invalid" ? (reason.path ?? []) : [],
        message: message.replace("is not a known property", "is not a known option"),
        ...(hint === undefined ? {} : { hint })
      }
    ]
  }
  const read = (options: Json): S["Type"] => {
    const [issue] = check(options)
    if (issue !== undefined) {
      throw new NotifyFailure({
        _tag: "Invalid",
        message: issue.message,
        path: issue.path.map(String),
        ...(issue.hint === undefined ? {} : { hint: issue.hint })
      })
    }
    return Result.getOrThrow(decode(options))
  }
  return { check, read }
}
