import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { StackName } from "../../domain/Ids.ts"
import type { StageName } from "../../domain/Machines.ts"

/** A stage of a stack. */
export interface Waiting {
  readonly stack: StackName
  readonly stage: StageName
}

/**
 * How long stages have waited so far for people and for credentials: time that counts for no timeout.
 */
export interface Waits {
  readonly add: (waiting: Waiting, ms: number) => void
  /** The time so far, in milliseconds, with the wait that is not over yet. */
  readonly of: (waiting: Waiting, now: number) => number
  /** Counts the time that an effect takes. */
  readonly during: <A, E, R>(waiting: Waiting, effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

const keyOf = ({ stack, stage }: Waiting): string => `${stack}/${stage}`

export const make = (): Waits => {
  const over = new Map<string, number>()
  const since = new Map<string, number>()
  const add = (waiting: Waiting, ms: number) => {
    const key = keyOf(waiting)
    over.set(key, (over.get(key) ?? 0) + ms)
  }
  return {
    add,
    of: (waiting, now) => (over.get(keyOf(waiting)) ?? 0) + (now - (since.get(keyOf(waiting)) ?? now)),
    during: (waiting, effect) =>
      Effect.acquireUseRelease(
        Effect.tap(Clock.currentTimeMillis, (now) => Effect.sync(() => since.set(keyOf(waiting), now))),
        () => effect,
        (began) =>
          Effect.map(Clock.currentTimeMillis, (now) => {
            since.delete(keyOf(waiting))
            add(waiting, now - began)
          })
      )
  }
}
