import { StoredEvent } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"

/** An event as JSON: durations are strings in it, as in a configuration. */
export const eventToJson: (event: StoredEvent) => typeof StoredEvent.Encoded = Schema.encodeSync(StoredEvent)
