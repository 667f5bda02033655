import * as Schema from "effect/Schema"

/**
 * The name of an error or a cause: stable and snake_case. Only `errorInfo` and `causeInfo` make one, with the parameters that
 * the registry asks for.
 */
export const Code = Schema.String.pipe(Schema.brand("signalbox/Code"))
export type Code = typeof Code.Type

/**
 * Why something happened, as data. The text room renders it; no sentence of ours is stored.
 *
 * *Details*: `params` are named and typed per code in the registry. `detail` is text from outside: a provider's message, a
 * person's reason, the message of an exception.
 */
export const CauseInfo = Schema.Struct({
  code: Code,
  params: Schema.Record(Schema.String, Schema.Json),
  detail: Schema.optionalKey(Schema.String)
})
export type CauseInfo = typeof CauseInfo.Type
