/**
 * The properties of a Cloud Run service.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { decodeProperties } from "@signalbox/core/spi"
import { longestTagged } from "./Names.ts"

const optional = <S extends Schema.Constraint>(schema: S, value: S["Encoded"]) =>
  Schema.withDecodingDefault<S>(Effect.succeed(value))(schema)

const pattern = (regex: RegExp, expected: string) => Schema.String.check(Schema.isPattern(regex, { expected }))
const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Outputs of other stacks may be numbers and booleans. */
const Value = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])

/**
 * The properties of a Cloud Run service.
 *
 * *Details*:
 * - `service` its name (default: deployment, environment and stack), up to 49 characters; an existing service is adopted
 * - `project` default: the account of the environment, then `GOOGLE_CLOUD_PROJECT`, then the one of the credentials
 * - `image` if the deployment does not name one with `--artifact`: `"europe-docker.pkg.dev/shop/apps/api:${version}"`
 * - `port` (default 8080), `command`, `args`, `env`, and `secrets` of Secret Manager by the name of the variable:
 *   `{ "DB_PASSWORD": "db-password:3" }`, the latest version without a number
 * - `cpu` (`"1"`, `"2000m"`), `memory` (`"512Mi"`), `concurrency` (1–1000), `timeoutSeconds` (1–3600)
 * - `minInstances`, `maxInstances` of each revision
 * - `serviceAccount` that it runs as
 * - `public` whether everyone may call it (default: as it is)
 * - `tag` of the candidate (default `candidate`), at least 3 characters, up to 46 with the name of the service
 *
 * What is not given is left to Cloud Run.
 */
export const Properties = Schema.Struct({
  service: Schema.optionalKey(
    pattern(
      /^[a-z]([a-z0-9-]{0,47}[a-z0-9])?$/,
      "up to 49 lower-case letters, digits and hyphens, the first one a letter and the last one no hyphen"
    )
  ),
  project: Schema.optionalKey(pattern(/^[a-z][a-z0-9:.-]{4,}$/, "the ID of a project")),
  image: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  port: optional(between(1, 65_535), 8080),
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
  concurrency: Schema.optionalKey(between(1, 1000)),
  timeoutSeconds: Schema.optionalKey(between(1, 3600)),
  minInstances: Schema.optionalKey(between(0, 1000)),
  maxInstances: Schema.optionalKey(between(1, 1000)),
  serviceAccount: Schema.optionalKey(Schema.String.check(Schema.isMinLength(1))),
  public: Schema.optionalKey(Schema.Boolean),
  tag: optional(
    pattern(/^[a-z][a-z0-9-]{1,44}[a-z0-9]$/, "3 to 46 lower-case letters, digits and hyphens, the first one a letter"),
    "candidate"
  )
}).check(
  Schema.makeFilter(({ service = "", tag }) =>
    service.length + tag.length > longestTagged
      ? {
          path: ["tag"],
          issue: `service (${service.length}) and tag (${tag.length}) have at most ${longestTagged} characters together`
        }
      : undefined
  )
)
export type Properties = typeof Properties.Type

/** Decodes properties; a failure points at the first mistake. */
export const decode = decodeProperties(Properties)
