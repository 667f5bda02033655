import * as Schema from "effect/Schema"
import { StackInEnvironment } from "../domain/Environment.ts"
import { ExecutionState } from "../domain/ExecutionState.ts"

/**
 * The result of a request: its execution, and whether it existed before.
 *
 * *Details*: `dropped` are deployed stacks that the configuration of a `deploy` no longer has: they keep running.
 */
export const Submission = Schema.Struct({
  execution: ExecutionState,
  joined: Schema.Boolean,
  dropped: Schema.Array(StackInEnvironment)
}).annotate({ identifier: "Submission" })
export type Submission = typeof Submission.Type
