/**
 * Waits for credentials that ran out, and asks a person if they are not renewed. Rolling back needs the same
 * credentials, so it is never the answer.
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as EventId from "../../domain/EventId.ts"
import { causeInfo } from "../../domain/errors/index.ts"
import type { StageTrigger } from "../../domain/Machines.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"
import { concerns, type IssuedCommand } from "./Control.ts"
import { nextRound, patience } from "./CredentialRounds.ts"
import { ExecutionContext, syncPaused } from "./ExecutionContext.ts"
import { CurrentStep } from "./Step.ts"

/** How often the call is tried at least while credentials may be renewed. */
const longestPause = Duration.seconds(30)

type Step = NonNullable<typeof CurrentStep.Service>

/**
 * Repeats a call while its credentials have run out. After 5 minutes it asks, and waits for an answer; a runner that
 * has nothing else to do ends meanwhile, so that a process with new credentials can carry on.
 */
export const renewing = <A, R>(
  call: Effect.Effect<A, ProviderError, R>
): Effect.Effect<A, ProviderError, R | ExecutionContext> =>
  Effect.gen(function* () {
    const step = yield* CurrentStep
    if (step === undefined) return yield* call
    const { waits } = yield* ExecutionContext
    // Carried on by another process, which has new credentials or not.
    yield* answered(step, [])
    let expiredAt: number | undefined
    let pause = 1_000
    while (true) {
      const result = yield* Effect.result(call)
      if (result._tag === "Success" || result.failure.reason._tag !== "Expired") return yield* Effect.fromResult(result)
      const now = yield* Clock.currentTimeMillis
      expiredAt ??= now
      const left = expiredAt + Duration.toMillis(patience) - now
      if (left > 0) {
        yield* waits.during(step, Effect.sleep(Duration.millis(Math.min(pause, left))))
        pause = Math.min(2 * pause, Duration.toMillis(longestPause))
        continue
      }
      yield* waits.during(step, ask(step, result.failure))
      expiredAt = undefined
      pause = 1_000
    }
  })

const ask = Effect.fnUntraced(function* (
  step: Step,
  { provider, reason }: ProviderError
): Effect.fn.Return<void, never, ExecutionContext> {
  const { control, journal, stuck } = yield* ExecutionContext
  const { name, stack } = step
  const askedAt = yield* Clock.currentTimeMillis
  const question = causeInfo("credentials_needed", { provider }, reason.message)
  const round = nextRound(journal, step.name)
  yield* journal.record(EventId.asked(round), { _tag: "ApprovalRequested", stack, question })
  yield* transitionOwnStage(step, "waiting", round)
  yield* syncPaused
  const answers = (given: ReadonlyArray<IssuedCommand>) => {
    const found = given.filter((one) => one.at >= askedAt && isAnswer(one) && concerns(one, stack))
    return found.length === 0 ? undefined : found
  }
  stuck.add(name)
  const given = yield* Effect.raceFirst(control.waitFor(answers), endWithNothingElse).pipe(
    Effect.ensuring(Effect.sync(() => stuck.delete(name)))
  )
  yield* answered(step, given)
})

const isAnswer = ({ command }: IssuedCommand): boolean =>
  command === "retry" || command === "resume" || command === "approve" || command === "promote"

/** Ends this run once nothing but such questions is left to work on. */
const endWithNothingElse: Effect.Effect<never, never, ExecutionContext> = Effect.gen(function* () {
  const { journal, left, stuck, inProgress } = yield* ExecutionContext
  // Between two steps nothing is in progress either: only what stays so counts.
  for (let quiet = 0; quiet < 3; quiet = inProgress.size > stuck.size ? 0 : quiet + 1) yield* Effect.sleep("1 second")
  yield* journal.commit
  yield* Deferred.succeed(left, undefined)
  return yield* Effect.never
})

/** Records the answer to an open question, if there is one. */
const answered = Effect.fnUntraced(function* (
  step: Step,
  given: ReadonlyArray<IssuedCommand>
): Effect.fn.Return<void, never, ExecutionContext> {
  const { journal } = yield* ExecutionContext
  const round = nextRound(journal, step.name)
  if (!journal.has(EventId.asked(round))) return
  const by = given.at(-1)?.by
  yield* journal.record(EventId.answered(round), {
    _tag: "ApprovalResolved",
    stack: step.stack,
    answer: "continue",
    expired: false,
    ...(by === undefined ? {} : { by })
  })
  yield* transitionOwnStage(step, "resumed", round)
  yield* syncPaused
})

/** A stage that is over, such as one whose old release is removed, does not wait again. */
const transitionOwnStage = (step: Step, on: Extract<StageTrigger, "waiting" | "resumed">, round: string) =>
  Effect.flatMap(ExecutionContext, ({ journal }) =>
    journal.record(EventId.stage(step.stage, on, step.stack, round), ({ questions, stacks }) => {
      const stages = stacks.find(({ name }) => name === step.stack)?.stages
      const status = stages?.find(({ name }) => name === step.stage)?.status
      if (status !== (on === "waiting" ? "running" : "waiting")) return undefined
      const cause = questions.find(({ stack }) => stack === step.stack)?.question
      return {
        _tag: "StageTransitioned",
        stage: step.stage,
        on,
        stack: step.stack,
        ...(on === "waiting" && cause !== undefined ? { cause } : {})
      }
    })
  )
