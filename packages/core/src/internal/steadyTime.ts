import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * The time from `begunAt` on, even if the clock on the wall is set meanwhile: nothing that is measured with it begins, stops or
 * ends because of that.
 */
export const steadyTime = (begunAt: number): Effect.Effect<Effect.Effect<number>> =>
  Effect.map(Clock.monotonicTimeNanos, (begun) =>
    Effect.map(Clock.monotonicTimeNanos, (now) => begunAt + Math.round(Number(now - begun) / 1_000_000))
  )
