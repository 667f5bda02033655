import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Mutation, ProviderEvent } from "./Provider.ts"

/**
 * Reports progress of an operation whose platform has no events of its own.
 *
 * *Details*: the id of the event follows from the operation and from what happened, so that a repeat is written once.
 */
export const reportProgress = (
  { idempotencyKey, progress }: Pick<Mutation, "idempotencyKey" | "progress">,
  message: string,
  more: Omit<ProviderEvent, "at" | "id" | "message"> = {}
): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    progress({ id: [idempotencyKey, more.resource ?? "", message].join("/"), at: Math.floor(now), message, ...more })
  )
