/**
 * Asks a provider whether a stack can go back to a checkpoint.
 */
import * as Effect from "effect/Effect"
import { reject, type Rejected } from "../../api/Rejected.ts"
import type { Checkpoint } from "../../domain/Release.ts"
import type { Provider, StackRef, WayBack } from "../../spi/Provider.ts"
import type { ProviderError } from "../../spi/ProviderError.ts"

/** The answer; undefined if the provider cannot tell, now or at all. */
export const wayBack = (
  provider: Provider,
  ref: StackRef,
  checkpoint: Checkpoint
): Effect.Effect<WayBack | undefined> =>
  provider.canGoBack === undefined || checkpoint.release === null
    ? Effect.undefined
    : Effect.match(provider.canGoBack(ref, checkpoint), { onFailure: () => undefined, onSuccess: (way) => way })

/**
 * Rejects a rollback to a checkpoint that cannot be restored.
 *
 * *Errors*: `cannot_go_back`, and what the provider fails with.
 */
export const mustGoBack = (
  provider: Provider,
  ref: StackRef,
  checkpoint: Checkpoint
): Effect.Effect<void, ProviderError | Rejected> =>
  provider.canGoBack === undefined
    ? Effect.void
    : Effect.flatMap(provider.canGoBack(ref, checkpoint), ({ how, why }) =>
        how === "impossible"
          ? Effect.fail(
              reject(
                "cannot_go_back",
                { stack: ref.stack, version: checkpoint.release?.version ?? "" },
                { detail: why }
              )
            )
          : Effect.void
      )
