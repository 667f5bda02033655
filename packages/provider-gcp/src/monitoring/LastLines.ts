/**
 * What a revision wrote last, at Cloud Logging.
 *
 * *Source*: https://cloud.google.com/logging/docs/reference/v2/rest/v2/entries/list
 */
import * as Effect from "effect/Effect"
import { fetchJson, type Gcp, type Place } from "../client/index.ts"

/** `loggingEndpoint` is where logs are read (default `CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING`). */
export interface LoggingOptions {
  readonly loggingEndpoint?: string
}

interface Entry {
  readonly textPayload?: string
  readonly jsonPayload?: { readonly message?: unknown }
}

const most = 3
const longest = 200
const timeout = 5_000

const textOf = ({ jsonPayload, textPayload }: Entry): string =>
  (textPayload ?? (typeof jsonPayload?.message === "string" ? jsonPayload.message : "")).trim().slice(0, longest)

/** The last lines of a revision, oldest first. A log that cannot be read has none, since nothing depends on it. */
export const lastLines = (
  gcp: Gcp,
  { loggingEndpoint }: LoggingOptions,
  { project, region, revision, service }: Place & { readonly service: string; readonly revision: string }
): Effect.Effect<ReadonlyArray<string>> => {
  const named = loggingEndpoint ?? process.env["CLOUDSDK_API_ENDPOINT_OVERRIDES_LOGGING"]
  const endpoint = named === undefined || named === "" ? undefined : named
  // A simulated Cloud Run has logs only if it says where.
  if (endpoint === undefined && gcp.isLocal) return Effect.succeed([])
  const body = {
    resourceNames: [`projects/${project}`],
    filter: [
      `resource.type = "cloud_run_revision"`,
      `resource.labels.location = "${region}"`,
      `resource.labels.service_name = "${service}"`,
      `resource.labels.revision_name = "${revision}"`,
      `(log_id("run.googleapis.com/stdout") OR log_id("run.googleapis.com/stderr"))`
    ].join(" AND "),
    orderBy: "timestamp desc",
    pageSize: most
  }
  return Effect.tryPromise(async (signal) => {
    const answer = await fetchJson(
      gcp,
      new URL("/v2/entries:list", endpoint ?? "https://logging.googleapis.com"),
      { signal, timeout },
      { method: "POST", body: JSON.stringify(body), headers: { "content-type": "application/json" } }
    )
    const entries = (answer["entries"] ?? []) as ReadonlyArray<Entry>
    return entries
      .map(textOf)
      .filter((text) => text !== "")
      .reverse()
  }).pipe(
    Effect.withSpan("CloudLogging.entries.list"),
    Effect.orElseSucceed(() => [])
  )
}
