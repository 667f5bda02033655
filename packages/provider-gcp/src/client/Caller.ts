/**
 * Calls of Google Cloud as effects, with classified failures and a deadline.
 */
import type { Mutation, ProviderError, ProviderReason } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Gcp, RunClients } from "./Gcp.ts"
import { gcpReason } from "./gcpReason.ts"
import type { RunPermission } from "./permissions.ts"

/** What a step fails with; the provider adds the name of the stack. */
export type Failure = ProviderReason | ProviderError

/** Longer than an answer takes: what goes on afterwards is an operation. */
const longest = 10_000

/** So much earlier than the lease does a call end. */
const margin = 500

/** So many times more is a call made that failed quickly, so that one lost answer does not repeat a whole step. */
const repeats = 4

/** In milliseconds. Longer waits are left to the engine, which knows how long a step may wait. */
const patience = 1_000

type Use<A> = (clients: RunClients, options: { readonly timeout: number }) => Promise<A>

/** Makes the calls of Cloud Run. A call is named by the permission that it needs, without `run.`. */
export class Caller {
  readonly #gcp: Gcp

  constructor(gcp: Gcp) {
    this.#gcp = gcp
  }

  read<A>(call: RunPermission, use: Use<A>): Effect.Effect<A, ProviderReason> {
    return again(this.#once(call, longest, use), ({ _tag }) => _tag === "Throttled" || _tag === "Unavailable")
  }

  /** Reads something that may not be there; null if it is not. */
  find<A>(call: RunPermission, use: Use<A>): Effect.Effect<A | null, ProviderReason> {
    return Effect.catch(this.read(call, use), (reason) =>
      reason._tag === "Missing" ? Effect.succeed(null) : Effect.fail(reason)
    )
  }

  /**
   * Runs the guard, and then calls with a deadline before the end of the lease. A call that was throttled had no effect,
   * so it is made again; after any other failure, only a look tells.
   */
  change<A>(call: RunPermission, { guard, leaseLeft }: Mutation, use: Use<A>): Effect.Effect<A, Failure> {
    const once = Effect.gen({ self: this }, function* () {
      const left = Duration.toMillis(yield* leaseLeft) - margin
      yield* guard
      if (left <= 0) {
        const message = `the lease does not last long enough for run.${call}`
        return yield* Effect.fail<ProviderReason>({ _tag: "Unavailable", message })
      }
      return yield* this.#once(call, Math.min(longest, left), use)
    })
    return again(once, ({ _tag }) => _tag === "Throttled")
  }

  #once<A>(call: RunPermission, timeout: number, use: Use<A>): Effect.Effect<A, ProviderReason> {
    return Effect.tryPromise({
      try: async () => use(await this.#gcp.run(), { timeout }),
      catch: (error) => gcpReason(error, `run.${call}`)
    }).pipe(Effect.withSpan(`CloudRun.${call}`))
  }
}

/** Repeats a call that may be repeated, as long as that takes less than a second in all. */
const again = <A, E extends Failure>(
  call: Effect.Effect<A, E>,
  mayRepeat: (failure: { readonly _tag: string }) => boolean
): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    const ends = (yield* Clock.currentTimeMillis) + patience
    for (let repeat = 0; ; repeat++) {
      const result = yield* Effect.result(call)
      if (result._tag === "Success") return result.success
      const { failure } = result
      const pause = failure._tag === "Throttled" ? failure.retryAfterMs : 50 * 2 ** repeat
      const late = (yield* Clock.currentTimeMillis) + pause > ends
      if (!mayRepeat(failure) || late || repeat === repeats) return yield* Effect.fail(failure)
      yield* Effect.sleep(pause)
    }
  })
