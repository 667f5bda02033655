/**
 * What an operator may ask of an execution in which state.
 */
import * as Result from "effect/Result"
import type { EventOf, OperatorCommand } from "./Event.ts"
import { type ExecutionState, isFinished } from "./Execution.ts"
import type { StackName } from "./Ids.ts"
import type { ErrorInfo } from "./Release.ts"

/**
 * Decides on a command: the event that it becomes, or why not.
 *
 * *Details*: `pause` while in progress · `resume` while paused · `approve` and `retry` while a question is open · `promote`
 * while in progress or paused · `abort` until it is on its way back. A rollback is not aborted; a wrapped command can be
 * aborted and nothing else, somebody else's deployment that is watched not even that.
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
  const refuse = (code: string, message: string, hint: string) => Result.fail({ code, message, hint })
  const id = state.correlationId
  if (isFinished(state)) {
    return refuse(
      "already_finished",
      `${id} has already ended: ${state.status}`,
      "Deploy again with a new correlation id."
    )
  }
  if (stack !== undefined && !state.stacks.some(({ name }) => name === stack)) {
    return refuse(
      "unknown_stack",
      `${id} does not work on a stack "${stack}"`,
      `Its stacks: ${state.stacks.map(({ name }) => name).join(", ")}.`
    )
  }
  const ours = state.kind !== "run" && state.kind !== "observe"
  const question = state.questions.some((asked) => stack === undefined || asked.stack === stack)
  const allowed: { readonly [Command in OperatorCommand]: boolean } = {
    pause: ours && state.status === "in_progress",
    resume: state.status === "paused",
    approve: question,
    retry: question,
    promote: ours && (state.status === "in_progress" || state.status === "paused") && state.kind !== "rollback",
    abort: state.status !== "rolling_back" && state.kind !== "rollback" && state.kind !== "observe"
  }
  if (allowed[command]) return Result.succeed({ _tag: "CommandIssued", ...given })
  return command === "approve" || command === "retry"
    ? refuse("nothing_asked", `${id} asks nothing at the moment`, `See what it does: signalbox status ${id}`)
    : refuse(
        "not_now",
        `${id} cannot ${command} while it is ${state.status.replace("_", " ")}`,
        `See what it does: signalbox status ${id}`
      )
}
