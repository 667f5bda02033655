import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Machine from "./Machine.ts"

/**
 * An event that the tables do not allow at its place. A defect of the writer, never of the input.
 *
 * *Errors*: not retryable.
 */
export class IllegalTransition extends Schema.TaggedError<IllegalTransition>()("IllegalTransition", {
  machine: Schema.String,
  subject: Schema.String,
  from: Schema.String,
  on: Schema.String
}) {
  override get message(): string {
    return `${this.machine} ${this.subject} cannot go on from ${this.from} by ${this.on}`
  }
}

/**
 * The next state, or the typed error.
 */
export const move = <State extends string, Trigger extends string>(
  machine: Machine.Machine<State, Trigger>,
  subject: string,
  from: State,
  on: Trigger
): Result.Result<State, IllegalTransition> =>
  Option.match(Machine.next(machine, from, on), {
    onNone: () => Result.fail(new IllegalTransition({ machine: machine.name, subject, from, on })),
    onSome: Result.succeed
  })
