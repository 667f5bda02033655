/**
 * The properties that services and jobs have in common.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

export const optional = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefault<S>(Effect.succeed(value))(schema)

export const pattern = (regex: RegExp, expected: string) => Schema.String.check(Schema.isPattern(regex, { expected }))
export const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** The name of a service or a job. */
export const Name = pattern(
  /^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$/,
  "up to 49 lower-case letters, digits and hyphens, the first one a letter and the last one no hyphen"
)

/** Outputs of other stacks may be numbers and booleans. */
const Value = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])

/** What runs, and where. */
export const container = {
  project: Schema.optionalKey(pattern(/^[a-z][a-z0-9:.-]{4,}$/, "the ID of a project")),
  image: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  command: Schema.optionalKey(Schema.Array(Schema.String)),
  args: Schema.optionalKey(Schema.Array(Schema.String)),
  env: optional(Schema.Record(Schema.String, Value), {}),
  secrets: optional(
    Schema.Record(
      Schema.String,
      pattern(/^[\w/-]+(:(latest|\d+))?$/, "a secret of Secret Manager, such as db-password:3")
    ),
    {}
  ),
  cpu: Schema.optionalKey(pattern(/^\d+(\.\d+)?m?$/, "a number of CPUs, such as 1 or 2000m")),
  memory: Schema.optionalKey(pattern(/^\d+(Mi|Gi)$/, "an amount of memory, such as 512Mi")),
  serviceAccount: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1)))
}
