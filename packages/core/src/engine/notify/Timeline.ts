/**
 * The execution as it was at each event of its stream, for planning.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { StoredEvent } from "../../domain/Event.ts"
import { evolve, type ExecutionState } from "../../domain/Execution.ts"
import type { RecentEvent } from "../../domain/notification/index.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"

/** How many reports of providers are kept. */
const kept = 20
const page = 1_000

/**
 * A stream up to an event.
 *
 * *Details*: `exposedAt` is when the first request could reach a candidate.
 */
export interface Moment {
  readonly seq: number
  readonly position: number
  readonly state: ExecutionState | undefined
  readonly recent: ReadonlyArray<RecentEvent>
  readonly exposedAt: number | undefined
}

export const beginning: Moment = { seq: 0, position: 0, state: undefined, recent: [], exposedAt: undefined }

const recentOf = ({ at, event }: StoredEvent): RecentEvent | undefined => {
  if (event._tag !== "ProgressReported") return undefined
  const what = event.message ?? event.cause
  return what === undefined
    ? undefined
    : {
        at: event.happenedAt ?? at,
        stack: event.stack,
        what,
        ...(event.failed === undefined ? {} : { failed: event.failed })
      }
}

/** The moment after an event. A stream of a deployment has no execution. */
export const after = (before: Moment, stored: StoredEvent): Moment => {
  const { at, event, position, seq } = stored
  const begins = before.state !== undefined || event._tag === "ExecutionRequested"
  // The store has folded it already, so it cannot be illegal; a version that knows less leaves the state as it is.
  const state = begins ? Result.getOrElse(evolve(before.state, at, event), () => before.state) : undefined
  const recent = recentOf(stored)
  const exposed = event._tag === "TrafficObserved" && event.candidate > 0
  return {
    seq,
    position,
    state,
    recent: recent === undefined ? before.recent : [...before.recent, recent].slice(-kept),
    exposedAt: before.exposedAt ?? (exposed ? at : undefined)
  }
}

/** The events of a stream after a moment, all of them. */
export const eventsAfter = Effect.fnUntraced(function* (
  stream: string,
  { position }: Moment
): Effect.fn.Return<ReadonlyArray<StoredEvent>, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const events: Array<StoredEvent> = []
  for (let from = position; ;) {
    const read = yield* store.events({ stream, after: from, limit: page })
    events.push(...read)
    if (read.length < page) return events
    from = read.at(-1)!.position
  }
})
