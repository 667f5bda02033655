/**
 * Today's configuration, for commands that work on the record: if it cannot be read, they continue without it.
 */
import * as Effect from "effect/Effect"
import type { Manifest } from "@signalbox/core/spi"
import { failureOf } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"
import { manifestOf } from "./manifest.ts"

export interface Today {
  /** The contents of the file; undefined if there is none, or it cannot be read. */
  readonly manifest: Manifest | undefined
  /** Fails with the mistakes of the file, for commands that need it. */
  readonly needed: Effect.Effect<void, Effect.Error<ReturnType<typeof manifestOf>>>
}

/** Reads it. An unreadable file is a warning. */
export const today = Effect.fnUntraced(function* (inv: Invocation): Effect.fn.Return<Today> {
  if (inv.settings.config === undefined) return { manifest: undefined, needed: Effect.asVoid(manifestOf(inv)) }
  const read = yield* Effect.result(manifestOf(inv))
  if (read._tag === "Success") return { manifest: read.success, needed: Effect.void }
  const { info } = failureOf(read.failure)
  yield* inv.warn({ ...info, hint: "What was recorded is used instead. Correct the file before the next deployment." })
  return { manifest: undefined, needed: Effect.fail(read.failure) }
})
