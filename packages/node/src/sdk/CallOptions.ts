/**
 * Options that calls of several kinds take.
 */

/** What every method takes besides its own: aborting the signal rejects with `InterruptedError`. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** A command to a running execution. `stack` narrows it where it can be narrowed. */
export interface CommandOptions extends CallOptions {
  readonly by?: string
  readonly stack?: string
  readonly reason?: string
}

/** Which events: those with a sequence number above `after` (default 0, all of them). */
export interface EventsOptions extends CallOptions {
  readonly after?: number
}
