import type { StoredEvent } from "@signalbox/core/spi"
import { iso } from "./execution.ts"

/** Steps carry adapter-specific data; their outcome is not meant for reading. */
const withoutExit = (event: StoredEvent["event"]): object => {
  if (!("exit" in event)) return event
  const { exit: _, ...others } = event
  return others
}

/** An event as `events` shows it: `type` and its fields, without the encoded outcome of steps. */
export const eventView = (stored: StoredEvent) => {
  const { _tag, ...data } = withoutExit(stored.event) as { readonly _tag: string }
  return {
    stream: stored.stream,
    seq: stored.seq,
    id: stored.id,
    at: iso(stored.at),
    deploymentId: stored.deploymentId,
    environment: stored.environment,
    type: _tag,
    data
  }
}
