/**
 * What the operations of all providers begin and end with. How a provider reaches the platform loads with its first
 * operation, so that a configuration that names the plug-in costs commands nothing that only read the store.
 */
import {
  asProviderError,
  type Mutation,
  noMutation,
  type Observation,
  type ProviderError,
  type ProviderReason,
  type StackRef
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"

/** What a step fails with; the provider adds the name of the stack. */
type Failure = ProviderReason | ProviderError

/** How a provider reaches the platform. */
interface Access<Work> {
  /** `artifact` is the one of a candidate. */
  readonly workOn: (ref: StackRef, mutation: Mutation, artifact?: string) => Effect.Effect<Work, ProviderReason>
  readonly observe: (work: Work) => Effect.Effect<Observation, ProviderReason>
}

/** What an operation that looks brings with it. */
interface Look {
  readonly mutation?: Mutation | undefined
  readonly artifact?: string | undefined
}

/** The operations of the provider of a kind. */
export const operationsOf = <Work, Cloud extends Access<Work>>(
  kind: string,
  load: () => Promise<Cloud & Access<Work>>
) => {
  const named = asProviderError(kind)
  let made: Promise<Cloud & Access<Work>> | undefined
  const access = Effect.promise(() => (made ??= load()))

  /** Carries out an operation on a stack. */
  const look = <A>(
    operation: string,
    ref: StackRef,
    use: (work: Work, cloud: Cloud) => Effect.Effect<A, Failure>,
    { artifact, mutation = noMutation }: Look = {}
  ): Effect.Effect<A, ProviderError> =>
    Effect.gen(function* () {
      const cloud = yield* access
      return yield* use(yield* cloud.workOn(ref, mutation, artifact), cloud)
    }).pipe(named(operation, ref))

  /** Carries out a mutation, and looks at what has become of it. */
  const change = (
    operation: string,
    ref: StackRef,
    mutation: Mutation,
    use: (work: Work) => Effect.Effect<void, Failure>
  ): Effect.Effect<Observation, ProviderError> =>
    look(operation, ref, (work, cloud) => Effect.andThen(use(work), cloud.observe(work)), { mutation })

  return { look, change }
}
