/**
 * The properties of a Cloud Run job.
 */
import { decodeProperties } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"
import { between, container, Name, optional } from "../cloudrun/Fields.ts"

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
  job: Schema.optionalKey(Name),
  ...container,
  tasks: optional(between(1, 10_000), 1),
  parallelism: Schema.optionalKey(between(1, 10_000)),
  maxRetries: optional(between(0, 10), 0),
  timeoutSeconds: Schema.optionalKey(between(1, 604_800))
})
export type JobProperties = typeof JobProperties.Type

/** Decodes properties; a failure points at the first mistake. */
export const decode = decodeProperties(JobProperties)
