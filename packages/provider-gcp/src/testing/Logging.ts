/**
 * Cloud Logging as far as it has what revisions write.
 */
import { ApiError } from "./ApiError.ts"
import type { JsonMessage } from "./Protos.ts"
import type { Service } from "./Service.ts"

export const loggingService = "google.logging.v2.LoggingServiceV2"

const known =
  /^resource\.type = "cloud_run_revision" AND resource\.labels\.location = "([^"]+)" AND resource\.labels\.service_name = "([^"]+)" AND resource\.labels\.revision_name = "([^"]+)" AND \(log_id\("run\.googleapis\.com\/stdout"\) OR log_id\("run\.googleapis\.com\/stderr"\)\)$/

/** The calls by name. */
export const logging = (services: ReadonlyMap<string, Service>) => ({
  ListLogEntries: ({ filter, orderBy, pageSize, resourceNames }: JsonMessage): JsonMessage => {
    const match = known.exec(String(filter))
    if (match === null || orderBy !== "timestamp desc") {
      throw new ApiError(
        "UNIMPLEMENTED",
        `The simulator only has the last lines of a revision, not '${String(filter)}'.`
      )
    }
    const [, location, service, revision = ""] = match
    const [project] = resourceNames as ReadonlyArray<string>
    const lines = services.get(`${project}/locations/${location}/services/${service}`)?.revisions.get(revision)?.lines
    const entries = (lines ?? []).map(({ at, text }) => ({ timestamp: at, textPayload: text })).reverse()
    return { entries: entries.slice(0, Number(pageSize)) }
  }
})
