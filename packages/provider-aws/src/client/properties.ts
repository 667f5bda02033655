/**
 * What properties of several kinds have in common.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const optional = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefault<S>(Effect.succeed(value))(schema)

export const pattern = (regex: RegExp, expected: string) => Schema.String.check(Schema.isPattern(regex, { expected }))

export const arnOf = (service: string, expected: string) => pattern(new RegExp(`^arn:aws[a-z-]*:${service}:`), expected)

export const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
