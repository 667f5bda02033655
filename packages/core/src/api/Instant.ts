import * as Schema from "effect/Schema"

/** A moment: a `Date` in programs, and ISO 8601 in UTC as JSON. */
export const Instant = Schema.Date.annotate({ identifier: "Instant" })
export type Instant = typeof Instant.Type
