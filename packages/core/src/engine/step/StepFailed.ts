import * as Schema from "effect/Schema"
import { type CauseInfo, causeOf, ErrorInfo } from "../../domain/errors/index.ts"
import { describe } from "../../text/index.ts"

/**
 * Why a step of an execution failed, as its receipt keeps it.
 *
 * *Details*: `failed` the work itself · `gate` the gate failed · `timeout` its stage took too long · `aborted` an
 * operator, or a missing answer, started the rollback · `halted` another stack failed · `blocked` another operation is
 * in progress there.
 */
export class StepFailed extends Schema.TaggedError<StepFailed>()("StepFailed", {
  why: Schema.Literals(["failed", "gate", "timeout", "aborted", "halted", "blocked"]),
  info: ErrorInfo
}) {
  override get message(): string {
    return describe(this.info).message
  }

  /** As the cause of what came of it. */
  get because(): CauseInfo {
    return causeOf(this.info)
  }
}
