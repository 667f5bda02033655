import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as EventId from "../../domain/EventId.ts"
import { type CauseInfo, errorInfo } from "../../domain/errors/index.ts"
import type { StageName } from "../../domain/Machines.ts"
import type { ApprovalSpec, StackSpec } from "../../domain/Spec.ts"
import {
  concerns,
  ExecutionContext,
  type IssuedCommand,
  step,
  StepFailed,
  type StepServices,
  syncPaused,
  transitionStage
} from "../step/index.ts"

const Answer = Schema.Struct({
  answer: Schema.Literals(["continue", "retry", "abort"]),
  by: Schema.optionalKey(Schema.String),
  waitedMs: Schema.Int
})

/**
 * Asks a person, and waits for `approve`, `promote`, `retry` (if there is something to try again) or the end of the
 * given time, with its default answer.
 *
 * *Errors*: `aborted` if there was no answer and the default is to abort. An `abort` command halts the whole execution.
 */
export const requestApproval = (options: {
  readonly name: string
  readonly stack: StackSpec
  readonly stage: StageName
  readonly question: CauseInfo
  readonly approval: ApprovalSpec
  readonly retry: boolean
}): Effect.Effect<"continue" | "retry", StepFailed, StepServices> =>
  Effect.gen(function* () {
    const { waits } = yield* ExecutionContext
    const stack = options.stack.name
    const { answer, waitedMs } = yield* step({
      name: options.name,
      operation: "ask",
      stage: options.stage,
      stack,
      success: Answer,
      execute: (startedAt) => waitForAnswer(options, startedAt)
    })
    waits.add({ stack, stage: options.stage }, waitedMs)
    if (answer !== "abort") return answer
    return yield* new StepFailed({
      why: "aborted",
      info: errorInfo("approval_expired", {
        stack,
        question: options.question,
        afterMs: Duration.toMillis(options.approval.expiresIn)
      })
    })
  })

const waitForAnswer = Effect.fnUntraced(function* (
  options: Parameters<typeof requestApproval>[0],
  startedAt: number
): Effect.fn.Return<typeof Answer.Type, never, ExecutionContext> {
  const { control, journal } = yield* ExecutionContext
  const stack = options.stack.name
  const expiresAt = startedAt + Duration.toMillis(options.approval.expiresIn)
  yield* journal.record(EventId.asked(options.name), {
    _tag: "ApprovalRequested",
    stack,
    question: options.question,
    expiresAt,
    otherwise: options.approval.otherwise
  })
  yield* transitionStage(options.stage, "waiting", { stack, cause: options.question, round: options.name })
  yield* syncPaused

  const answers = (given: ReadonlyArray<IssuedCommand>) =>
    given.find(
      ({ at, command, ...rest }) =>
        at >= startedAt &&
        concerns({ at, command, ...rest }, stack) &&
        (command === "approve" || command === "promote" || (command === "retry" && options.retry))
    )
  const left = Math.max(0, expiresAt - (yield* Clock.currentTimeMillis))
  const answered = yield* Effect.raceFirst(
    control.waitFor(answers),
    Effect.as(Effect.sleep(Duration.millis(left)), undefined)
  )

  const answer =
    answered === undefined ? options.approval.otherwise : answered.command === "retry" ? "retry" : "continue"
  yield* journal.record(EventId.answered(options.name), {
    _tag: "ApprovalResolved",
    stack,
    answer: answer === "abort" ? "abort" : "continue",
    expired: answered === undefined,
    ...(answered === undefined ? {} : { by: answered.by })
  })
  yield* transitionStage(options.stage, "resumed", { stack, round: options.name })
  yield* syncPaused
  const waitedMs = (yield* Clock.currentTimeMillis) - startedAt
  return { answer, waitedMs, ...(answered === undefined ? {} : { by: answered.by }) }
})
