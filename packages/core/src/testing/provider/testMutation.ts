import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Mutation } from "../../spi/index.ts"

/** The options of `testMutation`; `handles` keeps the handles by idempotency key, as the log does by step. */
export interface TestMutationOptions extends Partial<Mutation> {
  readonly handles?: Map<string, string | null>
}

/** A mutation without an engine, to call a provider in a test. Its lease is held unless a `guard` says otherwise. */
export const testMutation = (
  idempotencyKey: string,
  { handles = new Map<string, string | null>(), ...given }: TestMutationOptions = {}
): Mutation => ({
  idempotencyKey,
  fence: 1,
  guard: Effect.void,
  progress: () => Effect.void,
  handle: {
    get: Effect.sync(() => handles.get(idempotencyKey) ?? null),
    set: (handle) => Effect.sync(() => void handles.set(idempotencyKey, handle))
  },
  leaseLeft: Effect.succeed(Duration.seconds(15)),
  ...given
})
