/**
 * Repeats calls that may succeed later, for a limited time.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { ProviderError } from "../../spi/ProviderError.ts"
import { ExecutionContext } from "./ExecutionContext.ts"
import { CurrentStep, timeLeft, timeoutOf } from "./Step.ts"

/** How long a provider may fail without a break, unless its stage ends earlier. */
const outage = Duration.minutes(10)
const longestPause = Duration.seconds(30)

/**
 * How long a call may go on failing, in milliseconds: no longer than the time left for its stage, so that the failure is
 * reported and not a timeout. A rollback, which has no timeout, gets the whole timeout of its stack: giving it up leaves
 * a stack between two releases.
 */
const budget: Effect.Effect<number, never, ExecutionContext> = Effect.gen(function* () {
  const step = yield* CurrentStep
  const { journal } = yield* ExecutionContext
  const stack = journal.request.spec.stacks.find(({ name }) => name === step?.stack)
  if (step === undefined || stack === undefined) return Duration.toMillis(outage)
  if (step.stage === "rollback") return yield* timeoutOf(stack)
  return Math.min(Duration.toMillis(outage), yield* timeLeft(stack, step.stage))
})

const schedule = (budgetMs: number) =>
  Schedule.min([Schedule.exponential("200 millis"), Schedule.spaced(longestPause)]).pipe(
    Schedule.setInputType<ProviderError>(),
    Schedule.jittered,
    // Whole milliseconds: times are stored as integers.
    Schedule.modifyDelay(({ duration, input: { reason } }) => {
      const atLeast = reason._tag === "Throttled" ? reason.retryAfterMs : 0
      return Effect.succeed(Duration.millis(Math.max(Math.ceil(Duration.toMillis(duration)), atLeast)))
    }),
    Schedule.while(({ duration, elapsed }) => Effect.succeed(elapsed + Duration.toMillis(duration) < budgetMs))
  )

const mayPass = (error: ProviderError): boolean => error.isRetryable && error.reason._tag !== "Expired"

/**
 * Repeats a call with backoff while its error is retryable and there is time. An attempt that lasted longer than the
 * longest pause has worked in between, and begins a new budget.
 */
export const persisting = <A, R>(
  call: Effect.Effect<A, ProviderError, R>
): Effect.Effect<A, ProviderError, R | ExecutionContext> =>
  Effect.gen(function* () {
    let worked = false
    const attempt = Effect.gen(function* () {
      const began = yield* Clock.currentTimeMillis
      const result = yield* Effect.result(call)
      worked = (yield* Clock.currentTimeMillis) - began > Duration.toMillis(longestPause)
      return yield* Effect.fromResult(result)
    })
    while (true) {
      const result = yield* Effect.result(
        Effect.retry(attempt, { schedule: schedule(yield* budget), while: (error) => mayPass(error) && !worked })
      )
      if (result._tag === "Success" || !mayPass(result.failure) || !worked) return yield* Effect.fromResult(result)
      const { reason } = result.failure
      yield* Effect.sleep(Duration.millis(Math.max(1_000, reason._tag === "Throttled" ? reason.retryAfterMs : 0)))
    }
  })
