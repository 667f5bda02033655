import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"

/** Lets one fiber at a time work under a key. Unused keys are forgotten. */
export const makeKeyedLock = () => {
  const locks = new Map<string, { readonly semaphore: Semaphore.Semaphore; users: number }>()
  return (key: string) =>
    <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.suspend(() => {
        const lock = locks.get(key) ?? { semaphore: Semaphore.makeUnsafe(1), users: 0 }
        locks.set(key, lock)
        lock.users++
        return Effect.ensuring(
          lock.semaphore.withPermit(self),
          Effect.sync(() => {
            if (--lock.users === 0) locks.delete(key)
          })
        )
      })
}
