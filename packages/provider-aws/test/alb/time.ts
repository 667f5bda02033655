/**
 * The time of a simulator as the one of a provider, whose sleeps turn it forward.
 */
import type { Provider } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AwsSimulator } from "../../src/testing/index.ts"

/** Other fibers and requests get so much real time in each sleep. */
const breath = 25

/** A provider sleeps no longer between two polls: what is longer is the deadline of a call, and passes in real time. */
const longestPoll = 10_000

const real = (millis: number): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const timer = setTimeout(() => resume(Effect.void), millis)
    return Effect.sync(() => clearTimeout(timer))
  })

/** The clock of a simulator. With `often`, which is done every 20 seconds, longer sleeps turn it too. */
export const clockOf = (
  { advance, now }: Pick<AwsSimulator, "advance" | "now">,
  often?: () => Promise<unknown>
): Clock.Clock => {
  const nanos = () => BigInt(now()) * 1_000_000n
  return {
    currentTimeMillisUnsafe: now,
    currentTimeMillis: Effect.sync(now),
    currentTimeNanosUnsafe: nanos,
    currentTimeNanos: Effect.sync(nanos),
    monotonicTimeNanosUnsafe: nanos,
    monotonicTimeNanos: Effect.sync(nanos),
    sleep: (duration) => {
      const millis = Duration.toMillis(duration)
      if (often === undefined && millis > longestPoll) return real(millis)
      const turned = Effect.promise(async () => {
        for (let left = millis; left > 0; left -= 20_000) {
          if (left > longestPoll) await often?.()
          await advance(Math.min(20_000, left))
        }
      })
      return Effect.andThen(real(breath), turned)
    }
  }
}

/** A clock whose sleeps turn the simulator second by second, with some requests in each. */
export const loadedClockOf = (
  { advance, now }: Pick<AwsSimulator, "advance" | "now">,
  ask: () => Promise<unknown>
): Clock.Clock => ({
  ...clockOf({ advance, now }),
  sleep: (duration) => {
    const millis = Duration.toMillis(duration)
    if (millis > longestPoll) return real(millis)
    return Effect.promise(async () => {
      for (let left = millis; left > 0; left -= 1000) {
        await ask()
        await advance(Math.min(1000, left))
      }
    })
  }
})

/** The same provider, with each operation on the clock of a simulator. */
export const inTimeOf = (
  { simulator }: { readonly simulator: AwsSimulator },
  provider: Provider,
  clock: Clock.Clock = clockOf(simulator)
): Provider => {
  const timed = Effect.provideService(Clock.Clock, clock)
  const { alarms, canGoBack, drift, metrics, restart, traffic } = provider
  return {
    ...provider,
    plan: (...given) => timed(provider.plan(...given)),
    observe: (...given) => timed(provider.observe(...given)),
    stage: (...given) => timed(provider.stage(...given)),
    rollback: (...given) => timed(provider.rollback(...given)),
    destroy: (...given) => timed(provider.destroy(...given)),
    ...(traffic === undefined
      ? {}
      : {
          traffic: {
            shift: (...given) => timed(traffic.shift(...given)),
            retire: (...given) => timed(traffic.retire(...given))
          }
        }),
    ...(metrics === undefined
      ? {}
      : { metrics: { ...metrics, measure: (...given) => timed(metrics.measure(...given)) } }),
    ...(drift === undefined
      ? {}
      : {
          drift: {
            detect: (...given) => timed(drift.detect(...given)),
            correct: (...given) => timed(drift.correct(...given))
          }
        }),
    ...(alarms === undefined ? {} : { alarms: { states: (...given) => timed(alarms.states(...given)) } }),
    ...(restart === undefined ? {} : { restart: (...given) => timed(restart(...given)) }),
    ...(canGoBack === undefined ? {} : { canGoBack: (...given) => timed(canGoBack(...given)) })
  }
}
