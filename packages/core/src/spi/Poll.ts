/**
 * Polls: further and further apart, and never failing because of one that was throttled or lost.
 */
import * as Effect from "effect/Effect"
import type { ProviderReason } from "./ProviderError.ts"

/** The times between polls, in milliseconds: the first, and the longest. */
export interface PollOptions {
  readonly first: number
  readonly most: number
}

/** For platforms that take minutes. */
export const defaultPoll: PollOptions = { first: 500, most: 10_000 }

/**
 * Repeats a look until it finds something.
 *
 * *Errors*: what the look fails with, except `Throttled` and `Unavailable`.
 */
export const pollUntil = <A, E>(
  look: Effect.Effect<A | undefined, E>,
  { first, most }: PollOptions
): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    for (let pause = first; ; pause = Math.min(most, pause * 1.4)) {
      const result = yield* Effect.result(look)
      if (result._tag === "Success") {
        if (result.success !== undefined) return result.success
        yield* Effect.sleep(pause)
        continue
      }
      const reason = result.failure as Partial<ProviderReason>
      if (reason._tag === "Throttled") yield* Effect.sleep(Math.max(pause, reason.retryAfterMs!))
      else if (reason._tag === "Unavailable") yield* Effect.sleep(pause)
      else return yield* Effect.fail(result.failure)
    }
  })
