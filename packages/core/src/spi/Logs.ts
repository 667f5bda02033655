/**
 * An optional group of the provider port: what the instances of a release write.
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Timestamp } from "../domain/Ids.ts"
import type { ProviderError } from "./ProviderError.ts"
import type { StackRef } from "./StackRef.ts"

/**
 * One line of a log.
 *
 * *Details*: `at` is when it was written, null where the platform does not keep the time. `instance` is the name that the
 * platform gives to what wrote it.
 */
export const LogLine = Schema.Struct({
  at: Schema.NullOr(Timestamp),
  releaseId: Schema.String,
  instance: Schema.String,
  text: Schema.String
})
export type LogLine = typeof LogLine.Type

/** Lines, oldest first, and the place after them. */
export const LogPage = Schema.Struct({ lines: Schema.Array(LogLine), cursor: Schema.NullOr(Schema.String) })
export type LogPage = typeof LogPage.Type

/**
 * Reads the logs of a stack.
 *
 * *Details*: without a `cursor`, `read` returns the last `limit` lines; with the one of an earlier answer, the first
 * `limit` lines after it, and none twice. `releaseId` limits them to a release. Releases that have failed or were retired
 * belong to them as long as the platform keeps their logs. A stack that is not there has no lines. Lines are shown to
 * people: mask the secrets that the provider knows.
 */
export interface Logs {
  readonly read: (
    ref: StackRef,
    options: { readonly releaseId?: string; readonly cursor: string | null; readonly limit: number }
  ) => Effect.Effect<LogPage, ProviderError>
}
