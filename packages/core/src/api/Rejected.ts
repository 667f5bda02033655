import * as Schema from "effect/Schema"
import type { CorrelationId } from "../domain/Ids.ts"
import type { ErrorInfo } from "../domain/Release.ts"
import { Lease } from "../spi/LeaseStore.ts"

/**
 * A request that is not carried out; nothing was written and nothing called.
 *
 * *Details*: `kind` decides the exit code: `invalid` (64) the input is wrong · `not_found` (4) · `blocked` (2) another
 * execution, a freeze or a veto is in the way, with the `lease` that blocks where there is one · `conflict` (1) it does not
 * fit the state that things are in.
 *
 * *Errors*: `blocked` is worth repeating later, the others are not.
 */
export class Rejected extends Schema.TaggedError<Rejected>()("Rejected", {
  kind: Schema.Literals(["invalid", "not_found", "blocked", "conflict"]),
  code: Schema.String,
  message: Schema.String,
  hint: Schema.optionalKey(Schema.String),
  path: Schema.optionalKey(Schema.String),
  lease: Schema.optionalKey(Lease)
}) {
  get info(): ErrorInfo {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.path === undefined ? {} : { path: this.path })
    }
  }
}

/** The rejection of a correlation id without an execution. */
export const unknownExecution = (id: CorrelationId): Rejected =>
  new Rejected({
    kind: "not_found",
    code: "unknown_execution",
    message: `there is no execution ${id}`,
    hint: "See the latest with: signalbox history"
  })
