/**
 * The properties of a Cloud Run job.
 */
import { decodeProperties } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

const optional = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefault<S>(Effect.succeed(value))(schema)

const pattern = (regex: RegExp, expected: string) => Schema.String.check(Schema.isPattern(regex, { expected }))
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/**
 * The properties of a Cloud Run job.
 *
 * *Details*:
 * - `job` its name (default: deployment, environment and stack), up to 49 characters; an existing job is adopted
 * - `project` default: the account of the environment, then `GOOGLE_CLOUD_PROJECT`, then the one of the credentials
 * - `image` if the deployment does not name one with `--artifact`
 * - `command`, `args`, `env`, and `secrets` of Secret Manager by the name of the variable
 * - `cpu` (`"1"`, `"2000m"`), `memory` (`"512Mi"`), `serviceAccount` that it runs as
 * - `tasks` (default 1, up to 10,000) and `parallelism`, how many of them run at once
 * - `maxRetries` of a task that failed (default 0: a migration is not repeated by itself), `timeoutSeconds` of a task
 *
 * What is not given is left to Cloud Run.
 */
export const JobProperties = Schema.Struct({
  job: Schema.optionalKey(
    pattern(
      /^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$/,
      "up to 49 lower-case letters, digits and hyphens, the first one a letter and the last one no hyphen"
    )
  ),
  project: Schema.optionalKey(pattern(/^[a-z][a-z0-9:.-]{4,}$/, "the ID of a project")),
  image: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  command: Schema.optionalKey(Schema.Array(Schema.String)),
  args: Schema.optionalKey(Schema.Array(Schema.String)),
  env: optional(Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])), {}),
  secrets: optional(
    Schema.Record(
      Schema.String,
      pattern(/^[\w/-]+(:(latest|\d+))?$/, "a secret of Secret Manager, such as db-password:3")
    ),
    {}
  ),
  cpu: Schema.optionalKey(pattern(/^\d+(\.\d+)?m?$/, "a number of CPUs, such as 1 or 2000m")),
  memory: Schema.optionalKey(pattern(/^\d+(Mi|Gi)$/, "an amount of memory, such as 512Mi")),
  serviceAccount: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  tasks: optional(between(1, 10_000), 1),
  parallelism: Schema.optionalKey(between(1, 10_000)),
  maxRetries: optional(between(0, 10), 0),
  timeoutSeconds: Schema.optionalKey(between(1, 604_800))
})
export type JobProperties = typeof JobProperties.Type

/** Decodes properties; a failure points at the first mistake. */
export const decode = decodeProperties(JobProperties)
