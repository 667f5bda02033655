/**
 * Telling of an end with the very change that ends the execution, so that it is told also where nobody watches.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { NewEvent } from "../../domain/Event.ts"
import { evolve, type ExecutionState, isFinished } from "../../domain/Execution.ts"
import { endAlert } from "../monitor/index.ts"

/**
 * Events with the announcement of the end, where they bring one; `state` is the execution before them.
 *
 * *Details*: written with the change, whoever writes it: a runner, or who takes the place of one that died. A monitor that
 * tells of the same end gives it the same id, so it is told once. The end of a request that was withdrawn before it began
 * is told, too: whoever asked may have gone, and waits for word of it.
 *
 * @since 0.1.0
 */
export const withEndAlert = (
  state: ExecutionState | undefined,
  events: ReadonlyArray<NewEvent>
): ReadonlyArray<NewEvent> => {
  let after = state
  for (const { at, event } of events) {
    const folded = evolve(after, at, event)
    // What is illegal is for the store to refuse.
    if (Result.isFailure(folded)) return events
    after = folded.success
  }
  const last = events.at(-1)
  return last === undefined || after === undefined || !isFinished(after)
    ? events
    : [...events, { ...endAlert(after), at: last.at }]
}
