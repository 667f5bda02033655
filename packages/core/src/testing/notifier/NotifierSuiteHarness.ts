/** What the suite of notifiers needs of a channel and its receiver. */
import type * as Effect from "effect/Effect"
import type { Notifier } from "../../spi/index.ts"

/**
 * A notification as the receiver shows it.
 *
 * *Details*: `id` is the receiver's own, `key` the id of the delivery if the receiver knows it, `under` the `id` of the
 * notification in whose thread it stands. `text` is all that people read, `raw` the body as it arrived last; `changes` counts
 * changes after it was shown first.
 */
export interface Received {
  readonly id: string
  readonly key?: string | undefined
  readonly under?: string | undefined
  readonly text: string
  readonly raw: string
  readonly changes: number
}

/**
 * What a receiver does with the next notification instead of taking it. `Drop` takes it and closes the connection without an
 * answer.
 */
export type ReceiverFault =
  | { readonly _tag: "RateLimited"; readonly retryAfterMs: number }
  | { readonly _tag: "Unavailable" }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Drop" }
  | { readonly _tag: "Gone" }
  | { readonly _tag: "Denied" }

/**
 * A channel and its receiver.
 *
 * *Details*: `received` reads the receiver itself, not the notifier. `fault` sets its next answer, `connections` counts its
 * open ones; both only if `faults` of the options are not empty. `another` opens the same channel again, as another process
 * does.
 */
export interface NotifierHarness {
  readonly notifier: Notifier
  readonly received: Effect.Effect<ReadonlyArray<Received>, unknown>
  readonly fault?: (fault: ReceiverFault) => Effect.Effect<unknown, unknown>
  readonly connections?: Effect.Effect<number, unknown>
  readonly another?: Effect.Effect<Notifier, unknown>
}
