/**
 * Options that several kinds of calls take.
 */

/** Common options of every method: aborting the signal rejects with `InterruptedError`. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined
}

/** A command to a running execution. `stack` limits it, if the command can be limited. */
export interface CommandOptions extends CallOptions {
  readonly by?: string
  readonly stack?: string
  readonly reason?: string
}

/** Which events: those with a sequence number above `after` (default 0, all of them). */
export interface EventsOptions extends CallOptions {
  readonly after?: number
}

/** An artifact, a path or URL: one for all stacks, or one for each by its name. */
export type ArtifactOption = string | Readonly<Record<string, string>>
