/**
 * Polls all stacks of a deployment together, so that twenty of them do not ask twenty times as often as one.
 */
import type { PollOptions, ProviderReason } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/**
 * *Details*: looks at one thing are further and further apart, from `first` to `most` milliseconds. While several things are
 * waited for, looks at all of them are `first` apart, or less where one of them would otherwise wait for longer than `most`.
 * After a look that was throttled, all of them wait.
 */
export class Poller {
  readonly #options: PollOptions
  #waiting = 0
  #next = 0

  constructor(options: PollOptions) {
    this.#options = options
  }

  /**
   * Repeats a look until it finds something.
   *
   * *Errors*: what the look fails with, except `Throttled` and `Unavailable`.
   */
  until<A, E>(look: Effect.Effect<A | undefined, E>): Effect.Effect<A, E> {
    const { first, most } = this.#options
    const polling = Effect.gen({ self: this }, function* () {
      this.#waiting += 1
      for (let pause = first; ; pause = Math.min(most, pause * 1.4)) {
        yield* this.#turn
        const result = yield* Effect.result(look)
        if (result._tag === "Success") {
          if (result.success !== undefined) return result.success
        } else {
          const reason = result.failure as Partial<ProviderReason>
          if (reason._tag === "Throttled") {
            this.#next = Math.max(this.#next, (yield* Clock.currentTimeMillis) + reason.retryAfterMs!)
          } else if (reason._tag !== "Unavailable") return yield* Effect.fail(result.failure)
        }
        yield* Effect.sleep(pause)
      }
    })
    return Effect.ensuring(
      polling,
      Effect.sync(() => void (this.#waiting -= 1))
    )
  }

  /** Waits until it is the turn of a look. */
  get #turn(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function* () {
      const now = yield* Clock.currentTimeMillis
      const at = Math.max(now, this.#next)
      const { first, most } = this.#options
      this.#next = at + (this.#waiting > 1 ? Math.min(first, most / this.#waiting) : 0)
      if (at > now) yield* Effect.sleep(at - now)
    })
  }
}
