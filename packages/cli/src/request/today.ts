/**
 * Today's configuration, for commands that work on what was recorded: where it cannot be read, they go on without it.
 */
import * as Effect from "effect/Effect"
import type { Manifest } from "@signalbox/core/spi"
import { failureOf } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"
import { manifestOf } from "./manifest.ts"

export interface Today {
  /** What the file says; undefined where there is none, or it cannot be read. */
  readonly manifest: Manifest | undefined
  /** Fails with what is wrong with the file, for those that cannot go on without it. */
  readonly needed: Effect.Effect<void, Effect.Error<ReturnType<typeof manifestOf>>>
}

/** Reads it. What keeps it from being read is a warning. */
export const today = Effect.fnUntraced(function* (inv: Invocation): Effect.fn.Return<Today> {
  if (inv.settings.config === undefined) return { manifest: undefined, needed: Effect.asVoid(manifestOf(inv)) }
  const read = yield* Effect.result(manifestOf(inv))
  if (read._tag === "Success") return { manifest: read.success, needed: Effect.void }
  const { info } = failureOf(read.failure)
  yield* inv.warn({ ...info, hint: "What was recorded is used instead. Correct the file before the next deployment." })
  return { manifest: undefined, needed: Effect.fail(read.failure) }
})
