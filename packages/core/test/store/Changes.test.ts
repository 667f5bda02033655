import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule, Stream } from "effect"
import { makeChanges } from "../../src/store/internal/changes.ts"

describe("changes", () => {
  it.live("reach every subscriber after the last change, however fast each of them reads", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { changes, pulse } = yield* makeChanges(Stream.concat(Stream.succeed(undefined), Stream.never))
        let written = 0
        const seen = [0, 0, 0]
        yield* Effect.forEach(seen, (_, index) =>
          changes.pipe(
            Stream.runForEach(() =>
              Effect.gen(function* () {
                const read = written
                yield* Effect.sleep(index * 2)
                seen[index] = read
              })
            ),
            Effect.forkScoped
          )
        )
        for (let round = 0; round < 100; round++) {
          for (let n = 0; n < (round % 6) + 1; n++) {
            written += 1
            yield* pulse
            if ((round + n) % 3 === 0) yield* Effect.sleep(1)
          }
          const behind = Effect.suspend(() =>
            seen.every((read) => read === written) ? Effect.void : Effect.fail(`${seen} of ${written}`)
          )
          yield* Effect.retry(behind, Schedule.spaced("1 millis").pipe(Schedule.upTo({ times: 500 })))
        }
      })
    )
  )

  it.effect("begin with one pulse, and no other until something changes", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { changes, pulse } = yield* makeChanges(Stream.concat(Stream.succeed(undefined), Stream.never))
        let heard = 0
        yield* Stream.runForEach(changes, () => Effect.sync(() => void heard++)).pipe(Effect.forkScoped)
        yield* Effect.repeat(Effect.yieldNow, { times: 50 })
        assert.strictEqual(heard, 1)
        yield* pulse
        yield* Effect.repeat(Effect.yieldNow, { times: 50 })
        assert.strictEqual(heard, 2)
      })
    )
  )
})
