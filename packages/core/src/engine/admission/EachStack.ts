import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../../domain/Environment.ts"
import type { DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import type { Outputs } from "../../domain/Release.ts"
import type { ExecutionSpec, StackSpec } from "../../domain/Spec.ts"
import type { Provider, StackRef } from "../../spi/Provider.ts"
import { Providers } from "../../spi/Providers.ts"
import { stackRefOf } from "../../config/StackRefs.ts"

/** Where the stacks are. */
export interface StackPlace {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}

/** One stack, as its provider is asked about it; `missing` are the unresolved outputs in its properties. */
export interface StackAsked {
  readonly stack: StackSpec
  readonly provider: Provider | undefined
  readonly ref: StackRef
  readonly missing: ReadonlyArray<string>
}

/**
 * Looks at each stack of a specification; its provider is undefined if it is not installed.
 */
export const eachStack = <A, E>(
  where: StackPlace,
  spec: ExecutionSpec,
  environment: EnvironmentState | undefined,
  look: (asked: StackAsked) => Effect.Effect<A, E>
): Effect.Effect<ReadonlyArray<A>, E, Providers> =>
  Effect.flatMap(Providers, (providers) => {
    const outputs = new Map<string, Outputs>(environment?.stacks.map((stack) => [stack.name, stack.outputs]))
    return Effect.forEach(
      spec.stacks.filter(({ enabled }) => enabled),
      (stack) => look({ stack, provider: providers.get(stack.provider), ...stackRefOf(where, spec, stack, outputs) }),
      { concurrency: spec.parallelism }
    )
  })
