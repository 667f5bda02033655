/**
 * Asks a provider whether a stack can go back to a checkpoint.
 */
import * as Effect from "effect/Effect"
import type { Checkpoint } from "../../domain/Release.ts"
import type { Provider, StackRef, WayBack } from "../../spi/Provider.ts"
import { ProviderError } from "../../spi/ProviderError.ts"

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
 * Fails if a rollback to the checkpoint is impossible.
 *
 * *Errors*: `Missing` if the release is gone, and what the provider fails with.
 */
export const mustGoBack = (
  provider: Provider,
  ref: StackRef,
  checkpoint: Checkpoint
): Effect.Effect<void, ProviderError> =>
  provider.canGoBack === undefined
    ? Effect.void
    : Effect.flatMap(provider.canGoBack(ref, checkpoint), ({ how, why }) =>
        how === "impossible"
          ? Effect.fail(
              new ProviderError({
                provider: provider.kind,
                operation: "canGoBack",
                stackName: ref.stack,
                reason: { _tag: "Missing", message: why }
              })
            )
          : Effect.void
      )
