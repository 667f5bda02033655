import * as Effect from "effect/Effect"
import type { EnvironmentState, StackInEnvironment } from "../../domain/Environment.ts"
import type { DeploymentId, EnvironmentName, StackName } from "../../domain/Ids.ts"
import type { Outputs, Release } from "../../domain/Release.ts"
import type { ExecutionSpec, StackSpec } from "../../domain/Spec.ts"
import type { Provider, StackRef } from "../../spi/Provider.ts"
import { Providers } from "../../spi/Providers.ts"
import { stackRefOf } from "../../config/StackRefs.ts"

/** Where the stacks are. */
export interface StackPlace {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}

/**
 * One stack, as its provider is asked about it; `missing` are the unresolved outputs in its properties, `recorded` the
 * release that the record says is deployed.
 */
export interface StackAsked {
  readonly stack: StackSpec
  readonly provider: Provider | undefined
  readonly ref: StackRef
  readonly missing: ReadonlyArray<string>
  readonly recorded: Release | null
}

/** The release of a stack that is deployed, as far as its record goes. */
export const deployedRelease = (
  stacks: ReadonlyArray<Pick<StackInEnvironment, "name" | "release" | "status">> = [],
  name: StackName
): Release | null => stacks.find((stack) => stack.name === name && stack.status === "deployed")?.release ?? null

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
      (stack) =>
        look({
          stack,
          provider: providers.get(stack.provider),
          recorded: deployedRelease(environment?.stacks, stack.name),
          ...stackRefOf(where, spec, stack, outputs)
        }),
      { concurrency: spec.parallelism }
    )
  })
