/**
 * The questions that a step has asked about credentials.
 */
import * as Duration from "effect/Duration"
import * as EventId from "../../domain/EventId.ts"
import type { Journal } from "../log/index.ts"

/** How long credentials may take to be renewed before a person is asked. */
export const patience = Duration.minutes(5)

/** The name of the question that is open, or comes next. */
export const nextRound = (journal: Journal, step: string): string => {
  let n = 1
  while (journal.has(EventId.answered(EventId.credentials(step, n)))) n++
  return EventId.credentials(step, n)
}

/** How long a step has waited before it asked, in all: earlier runs are not remembered otherwise. */
export const waitedForCredentials = (journal: Journal, step: string): number => {
  let rounds = 0
  while (journal.has(EventId.asked(EventId.credentials(step, rounds + 1)))) rounds++
  return rounds * Duration.toMillis(patience)
}
