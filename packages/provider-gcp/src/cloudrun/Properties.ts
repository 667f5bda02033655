/**
 * The properties of a Cloud Run service.
 */
import { decodeProperties } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { between, container, Name, optional, pattern } from "./Fields.ts"
import { longestTagged } from "./Names.ts"

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
  service: Schema.optionalKey(Name),
  ...container,
  port: optional(between(1, 65_535), 8080),
  concurrency: Schema.optionalKey(between(1, 1000)),
  timeoutSeconds: Schema.optionalKey(between(1, 3600)),
  minInstances: Schema.optionalKey(between(0, 1000)),
  maxInstances: Schema.optionalKey(between(1, 1000)),
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
