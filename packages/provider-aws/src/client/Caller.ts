/**
 * Calls of AWS as effects, with classified failures and a deadline.
 */
import type { Mutation, ProviderError, ProviderReason } from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { awsReason } from "./awsReason.ts"

/** What a step fails with; the provider adds the name of the stack. */
export type Failure = ProviderReason | ProviderError

type Use<Client, A> = (client: Client, options: { readonly abortSignal: AbortSignal }) => Promise<A>

/** Makes the calls of one service. `Call` names them as the table of permissions does. */
export class Caller<Client, Call extends string> {
  readonly #service: string
  readonly #client: () => Promise<Client>

  /** `service` is how permissions name it, such as `elasticloadbalancing`. */
  constructor(service: string, client: () => Promise<Client>) {
    this.#service = service
    this.#client = client
  }

  /** Calls once; the client repeats what is throttled or cut a few times. */
  read<A>(call: Call, use: Use<Client, A>): Effect.Effect<A, ProviderReason> {
    const name = `${this.#service}:${call}`
    return Effect.tryPromise({
      try: async (abortSignal) => use(await this.#client(), { abortSignal }),
      catch: (error) => awsReason(error, name)
    }).pipe(Effect.withSpan(name))
  }

  /** Runs the guard, and then calls with a deadline before the end of the lease. */
  change<A>(call: Call, { guard, leaseLeft }: Mutation, use: Use<Client, A>): Effect.Effect<A, Failure> {
    return Effect.gen({ self: this }, function* () {
      const left = yield* leaseLeft
      yield* guard
      const orElse = () => {
        const message = `${call} took longer than the lease lasts (${Duration.format(left)})`
        return Effect.fail<ProviderReason>({ _tag: "Unavailable", message })
      }
      return yield* this.read(call, use).pipe(Effect.timeoutOrElse({ duration: left, orElse }))
    })
  }
}
