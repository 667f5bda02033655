/**
 * The alert of an end, written with the change that ends the execution, so that it is raised even without a monitor.
 */
import * as Result from "effect/Result"
import * as EventId from "../../domain/EventId.ts"
import type { EventOf, NewEvent } from "../../domain/Event.ts"
import { evolve, type ExecutionState, isFinished } from "../../domain/Execution.ts"

/** An alert to be written. Its id makes a second write harmless. */
export interface DueAlert {
  readonly id: EventId.EventId
  readonly event: EventOf<"AlertRaised">
}

/**
 * The alert of an execution's end, raised or not.
 */
export const endAlert = ({ cause, error, finishedAt, kind, startedAt, status }: ExecutionState): DueAlert => {
  const result = status === "completed" ? "succeeded" : "failed"
  return {
    id: EventId.ended(result, status),
    event: {
      _tag: "AlertRaised",
      kind: result,
      execution: kind,
      status,
      ...(startedAt === undefined || finishedAt === undefined ? {} : { elapsedMs: finishedAt - startedAt }),
      ...(error === undefined ? {} : { error }),
      ...(error !== undefined || cause === undefined || result === "succeeded" ? {} : { cause })
    }
  }
}

/**
 * Events with the alert of the end, where they bring one; `state` is the execution before them.
 *
 * *Details*: written with the change by its writer: a runner, or the successor of one that died. A monitor that sees the same
 * end gives its alert the same id, so it is raised once. The end of a request that was withdrawn before it began raises one
 * too: its submitter may have left and still wants the answer.
 */
export const withEndAlert = (
  state: ExecutionState | undefined,
  events: ReadonlyArray<NewEvent>
): ReadonlyArray<NewEvent> => {
  let after = state
  for (const { at, event } of events) {
    const folded = evolve(after, at, event)
    // The store rejects an illegal transition.
    if (Result.isFailure(folded)) return events
    after = folded.success
  }
  const last = events.at(-1)
  return last === undefined || after === undefined || !isFinished(after)
    ? events
    : [...events, { ...endAlert(after), at: last.at }]
}
