import type { PollOptions, ProviderReason } from "@signalbox/core/spi"
import { defaultPoll, pollUntil } from "@signalbox/core/spi"
import { it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { TestClock } from "effect/testing"
import { assert, describe } from "vitest"
import { Poller } from "../../src/cloudformation/Poller.ts"

/** Waits for so many operations of a minute each; returns the number of looks, and how late the last end was seen. */
const minute = (
  stacks: number,
  wait: (look: Effect.Effect<true | undefined, ProviderReason>) => Effect.Effect<true, ProviderReason>
) =>
  Effect.gen(function* () {
    let looks = 0
    let late = 0
    const look = Effect.map(Clock.currentTimeMillis, (now) => {
      looks += 1
      if (now < 60_000) return undefined
      late = Math.max(late, now - 60_000)
      return true as const
    })
    const all = yield* Effect.forkChild(
      Effect.all(
        Array.from({ length: stacks }, () => wait(look)),
        { concurrency: "unbounded" }
      )
    )
    yield* TestClock.adjust(Duration.minutes(2))
    yield* Fiber.join(all)
    return { looks, late }
  })

const together = (options: PollOptions = defaultPoll) => {
  const poller = new Poller(options)
  return <A>(look: Effect.Effect<A | undefined, ProviderReason>) => poller.until(look)
}

describe("the poller of all stacks", () => {
  it.effect("looks at one stack as often as if it were alone", () =>
    Effect.gen(function* () {
      const alone = yield* minute(1, (look) => pollUntil(look, defaultPoll))
      yield* TestClock.setTime(0)
      assert.deepStrictEqual(yield* minute(1, together()), alone)
    })
  )

  it.effect("asks half as often for 20 stacks, and sees each end within 10 seconds", () =>
    Effect.gen(function* () {
      const alone = yield* minute(20, (look) => pollUntil(look, defaultPoll))
      yield* TestClock.setTime(0)
      const all = yield* minute(20, together())
      assert.deepStrictEqual([alone.looks, all.looks], [280, 141])
      assert.isAtMost(all.late, 10_500)
    })
  )

  it.effect("lets all of them wait after a look that was throttled, and fails none", () =>
    Effect.gen(function* () {
      const poller = new Poller({ first: 100, most: 100 })
      const times: Array<number> = []
      const look = (throttled: number) => {
        let count = 0
        return Effect.gen(function* () {
          times.push(yield* Clock.currentTimeMillis)
          count += 1
          if (count <= throttled) {
            return yield* Effect.fail<ProviderReason>({
              _tag: "Throttled",
              message: "Rate exceeded",
              retryAfterMs: 5_000
            })
          }
          return count > throttled + 1 ? true : undefined
        })
      }
      const both = yield* Effect.forkChild(
        Effect.all([poller.until(look(1)), poller.until(look(0))], { concurrency: 2 })
      )
      yield* TestClock.adjust(Duration.seconds(30))
      assert.deepStrictEqual(yield* Fiber.join(both), [true, true])
      assert.deepStrictEqual(
        times.filter((time) => time > 50 && time < 5_000),
        []
      )
    })
  )
})
