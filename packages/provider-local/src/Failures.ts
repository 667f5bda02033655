/**
 * Turns failures to read, copy or check files into reasons of the port.
 */
import * as Effect from "effect/Effect"
import type { ProviderReason } from "@signalbox/core/spi"
import { Refusal } from "./supervisor/Protocol.ts"

/** Runs a check that refuses by throwing. */
export const refusing = <A>(run: () => A): Effect.Effect<A, ProviderReason> => Effect.try({ try: run, catch: classify })

/** Runs work on files or the network; an interruption aborts it. */
export const reaching = <A>(run: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, ProviderReason> =>
  Effect.tryPromise({ try: run, catch: (error) => error }).pipe(
    // The hint of an unexpected error says that this adds details.
    Effect.tapError((error) => {
      const cause = error instanceof Refusal ? error.cause : error
      return cause === undefined ? Effect.void : Effect.logDebug("the artifact could not be read or copied", cause)
    }),
    Effect.mapError(classify)
  )

/** Fails with the detected mistake. */
export const foreseen = (
  look: () => ProviderReason | undefined | Promise<ProviderReason | undefined>
): Effect.Effect<void, ProviderReason> =>
  Effect.flatMap(
    reaching(async () => look()),
    (found) => (found === undefined ? Effect.void : Effect.fail(found))
  )

const classify = (error: unknown): ProviderReason => {
  if (error instanceof Refusal) return error.reason
  const { code, message } = error as NodeJS.ErrnoException
  if (code === "EACCES" || code === "EPERM" || code === "EROFS")
    return { _tag: "Denied", message: `not allowed: ${code}` }
  if (code === "ENOSPC" || code === "EDQUOT") return { _tag: "Unavailable", message: "the disk is full" }
  return { _tag: "Unexpected", message: message ?? String(error) }
}
