/**
 * The only way into the log.
 */
import * as Effect from "effect/Effect"
import type { EventId } from "../../domain/EventId.ts"
import type { NewEvent, StoredEvent } from "../../domain/Event.ts"
import { executionMachine } from "../../domain/Machines.ts"
import type { IllegalTransition } from "../../domain/Illegal.ts"
import { DeploymentStore, type StreamState } from "../../spi/DeploymentStore.ts"
import type { Lease, LeaseLost } from "../../spi/LeaseStore.ts"
import { notableTags, notificationKinds } from "../../domain/notification/index.ts"
import { Notifications } from "../../spi/Notifications.ts"
import { StoreError } from "../../spi/StoreError.ts"
import { withEndAlert } from "./EndAlert.ts"

/** An event to be written. */
export interface DueEvent extends NewEvent {
  readonly id: EventId
}

/** Decides what to write, from the current stream; returns nothing if nothing is due. */
export type Decide<E = never, R = never> = (before: StreamState) => Effect.Effect<ReadonlyArray<DueEvent>, E, R>

/** How often a decision is repeated because the stream advanced meanwhile. */
const attempts = 32

const terminal: ReadonlySet<string> = new Set(executionMachine.terminal)
const isEnd = ({ event }: NewEvent): boolean => event._tag === "ExecutionTransitioned" && terminal.has(event.on)

/** Whatever is configured, notifications follow from no other events. */
const everNotable = notableTags(new Set(notificationKinds))

/** Whether notifications are owed after these events. The configuration is only read for events that may owe some. */
const owes = (events: ReadonlyArray<NewEvent>): Effect.Effect<boolean> =>
  events.some(({ event }) => everNotable.has(event._tag))
    ? Effect.map(
        Effect.flatMap(Notifications, (read) => read),
        (setup) => setup !== undefined && events.some(({ event }) => setup.notable.has(event._tag))
      )
    : Effect.succeed(false)

/**
 * Appends the result of `decide` to a stream, and returns the new events.
 *
 * *Details*: a decision holds for the state that it was based on. If the stream advanced before the write, it is read
 * and decided again. Events that are independent of the state (a runner's own, or events whose ids make a repeat
 * harmless) are given as a list and cost no read. The end of an execution brings its alert in the same write, and so
 * does what notifications owe. `guards` are leases that must be held at the moment of the write.
 *
 * *Errors*: `LeaseLost`; `IllegalTransition` if the states do not allow an event; `StoreError`, with `Unavailable` if
 * the stream advances faster than decisions are made.
 */
export const write = Effect.fnUntraced(function* <E = never, R = never>(
  stream: string,
  decide: ReadonlyArray<DueEvent> | Decide<E, R>,
  guards: ReadonlyArray<Lease> = []
): Effect.fn.Return<ReadonlyArray<StoredEvent>, E | LeaseLost | IllegalTransition | StoreError, R | DeploymentStore> {
  const store = yield* DeploymentStore
  if (typeof decide !== "function" && !decide.some(isEnd)) {
    return yield* Effect.catchTag(
      store.append({ stream, events: decide, guards, owes: yield* owes(decide) }),
      "SequenceConflict",
      Effect.die
    )
  }
  for (let attempt = 0; attempt < attempts; attempt++) {
    const before = yield* store.stream(stream)
    const due = typeof decide === "function" ? yield* decide(before) : decide
    if (due.length === 0) return []
    const events = due.some(isEnd) ? withEndAlert(before.execution, due) : due
    const written = yield* store
      .append({ stream, expected: before.seq, events, guards, owes: yield* owes(events) })
      .pipe(Effect.catchTag("SequenceConflict", () => Effect.undefined))
    if (written !== undefined) return written
  }
  return yield* new StoreError({
    operation: "append",
    reason: "Unavailable",
    detail: `${stream} went on ${attempts} times while a decision on it was taken`
  })
})
