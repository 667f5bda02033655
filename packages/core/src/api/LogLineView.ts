import * as Schema from "effect/Schema"
import { StackName } from "../domain/Ids.ts"
import { LogLine } from "../spi/Logs.ts"
import { Instant } from "./Instant.ts"

/**
 * One line of the log of a stack, as its provider has it. `version` is null if no execution on record brought that
 * release in.
 */
export const StackLogLine = Schema.Struct({
  ...LogLine.fields,
  stack: StackName,
  version: Schema.NullOr(Schema.String)
}).annotate({ identifier: "StackLogLine" })
export type StackLogLine = typeof StackLogLine.Type

/** The same, as it is shown. `at` is null where the platform does not keep the time of a line. */
export const LogLineView = Schema.Struct({
  ...StackLogLine.fields,
  at: Schema.NullOr(Instant)
}).annotate({ identifier: "LogLineView" })
export type LogLineView = typeof LogLineView.Type
