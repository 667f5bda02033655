/**
 * Which commands an operator may issue to an execution in which state.
 */
import * as Result from "effect/Result"
import type { EventOf, OperatorCommand } from "./Event.ts"
import { type ExecutionState, isFinished } from "./Execution.ts"
import type { StackName } from "./Ids.ts"
import { type ErrorInfo, errorInfo } from "./errors/index.ts"

/**
 * Decides on a command: the event that it becomes, or the rejection.
 *
 * *Details*: `pause` while in progress · `resume` while paused · `approve`, `retry` and `resume` while a question is open ·
 * `promote` while in progress or paused · `abort` until it is rolling back. A rollback cannot be aborted. A wrapped
 * command accepts only `abort`; an observed foreign deployment accepts nothing.
 */
export const decide = (
  state: ExecutionState,
  given: {
    readonly command: OperatorCommand
    readonly by: string
    readonly stack?: StackName
    readonly reason?: string
  }
): Result.Result<EventOf<"CommandIssued">, ErrorInfo> => {
  const { command, stack } = given
  const id = state.correlationId
  const look = { remedies: [{ _tag: "status", execution: id }] } as const
  if (isFinished(state)) {
    return Result.fail(errorInfo("already_finished", { execution: id, status: state.status }))
  }
  if (stack !== undefined && !state.stacks.some(({ name }) => name === stack)) {
    return Result.fail(
      errorInfo("unknown_stack", { stack, execution: id, known: state.stacks.map(({ name }) => name) })
    )
  }
  const ours = state.kind !== "run" && state.kind !== "observe"
  const question = state.questions.some((asked) => stack === undefined || asked.stack === stack)
  const allowed: { readonly [Command in OperatorCommand]: boolean } = {
    pause: ours && state.status === "in_progress",
    resume: state.status === "paused" || question,
    approve: question,
    retry: question,
    promote: ours && (state.status === "in_progress" || state.status === "paused") && state.kind !== "rollback",
    abort: state.status !== "rolling_back" && state.kind !== "rollback" && state.kind !== "observe"
  }
  if (allowed[command]) return Result.succeed({ _tag: "CommandIssued", ...given })
  return Result.fail(
    command === "approve" || command === "retry"
      ? errorInfo("nothing_asked", { execution: id }, look)
      : errorInfo("not_now", { execution: id, command, status: state.status }, look)
  )
}
