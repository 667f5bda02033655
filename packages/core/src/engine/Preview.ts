/**
 * Looking without touching: what a request would do, and what is there.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../domain/Environment.ts"
import type { DeploymentId, EnvironmentName } from "../domain/Ids.ts"
import type { Outputs } from "../domain/Release.ts"
import type { ExecutionSpec, Manifest, StackSpec } from "../domain/Spec.ts"
import { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { Provider, StackRef } from "../spi/Provider.ts"
import { ProviderError } from "../spi/ProviderError.ts"
import { Providers } from "../spi/Providers.ts"
import type { StoreError } from "../spi/StoreError.ts"
import { resolve } from "./Configuration.ts"
import { fillIn } from "./OutputReference.ts"
import * as Recorded from "./Recorded.ts"
import type { Refused } from "./Refused.ts"
import type { ObservedStack, PlannedStack, Request } from "./Signalbox.ts"

/**
 * Plans each stack as `submit` and `run` would; writes nothing.
 *
 * @since 0.1.0
 */
export const plan = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<ReadonlyArray<PlannedStack>, Refused | ProviderError | StoreError, DeploymentStore | Providers> {
  const spec = yield* resolve(request.manifest, request.environment, {
    ...(request.stacks === undefined ? {} : { stacks: request.stacks }),
    ...(request.strategy === undefined ? {} : { strategy: request.strategy })
  })
  const candidate = {
    version: request.version ?? "unversioned",
    ...(request.artifact === undefined ? {} : { artifact: request.artifact })
  }
  return yield* eachInstalled(request, spec, ({ missing, provider, ref, stack }) =>
    Effect.map(missing.length > 0 ? Effect.succeed(null) : provider.plan(ref, candidate), (planned): PlannedStack => ({
      name: stack.name,
      provider: stack.provider,
      dependsOn: stack.dependsOn,
      plan: planned,
      waitsFor: missing,
      ...(stack.irreversible === undefined ? {} : { irreversible: stack.irreversible })
    }))
  )
})

/**
 * Asks the providers what is really there, by what was recorded of it; a stack that cannot be asked carries its error.
 *
 * @since 0.1.0
 */
export const observe = Effect.fnUntraced(function* (options: {
  readonly manifest: Manifest
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}): Effect.fn.Return<ReadonlyArray<ObservedStack>, Refused | StoreError, DeploymentStore | Providers> {
  const store = yield* DeploymentStore
  const { deploymentId, environment } = options
  const deployment = yield* store.deployment(deploymentId)
  const state = yield* store.environment(deploymentId, environment)
  const manifest =
    deployment === undefined ? options.manifest : Recorded.manifest(deployment, environment, state, options.manifest)
  const spec = yield* resolve(manifest, environment)
  return yield* eachStack(options, spec, state, ({ provider, ref, stack }) =>
    Effect.map(
      provider === undefined
        ? Effect.succeed(notInstalled(stack))
        : Effect.match(provider.observe(ref), { onFailure: (error) => error, onSuccess: (observed) => observed }),
      (observation): ObservedStack => ({ name: stack.name, provider: stack.provider, observation })
    )
  )
})

const notInstalled = ({ name, provider }: StackSpec): ProviderError =>
  new ProviderError({
    provider,
    operation: "observe",
    stackName: name,
    reason: { _tag: "Unsupported", capability: "observe", message: `the provider "${provider}" is not installed` }
  })

/**
 * Looks at each stack of a specification; its provider is undefined where it is not installed.
 *
 * @since 0.1.0
 */
export const eachStack = <A, E>(
  where: { readonly deploymentId: DeploymentId; readonly environment: EnvironmentName },
  spec: ExecutionSpec,
  environment: EnvironmentState | undefined,
  look: (asked: {
    readonly stack: StackSpec
    readonly provider: Provider | undefined
    readonly ref: StackRef
    readonly missing: ReadonlyArray<string>
  }) => Effect.Effect<A, E>
): Effect.Effect<ReadonlyArray<A>, E, Providers> =>
  Effect.flatMap(Providers, (providers) => {
    const outputs = new Map<string, Outputs>(environment?.stacks.map((stack) => [stack.name, stack.outputs]))
    return Effect.forEach(
      spec.stacks.filter(({ enabled }) => enabled),
      (stack) => {
        const { missing, value } = fillIn(stack.properties, outputs)
        const ref: StackRef = {
          deploymentId: where.deploymentId,
          environment: where.environment,
          stack: stack.name,
          properties: value,
          ...(spec.region === undefined ? {} : { region: spec.region }),
          ...(spec.account === undefined ? {} : { account: spec.account })
        }
        return look({ stack, provider: providers.get(stack.provider), ref, missing })
      },
      { concurrency: spec.parallelism }
    )
  })

const eachInstalled = Effect.fnUntraced(function* <A, E>(
  where: { readonly deploymentId: DeploymentId; readonly environment: EnvironmentName },
  spec: ExecutionSpec,
  look: (asked: {
    readonly stack: StackSpec
    readonly provider: Provider
    readonly ref: StackRef
    readonly missing: ReadonlyArray<string>
  }) => Effect.Effect<A, E>
): Effect.fn.Return<ReadonlyArray<A>, E | StoreError, DeploymentStore | Providers> {
  const store = yield* DeploymentStore
  const environment = yield* store.environment(where.deploymentId, where.environment)
  return yield* eachStack(where, spec, environment, ({ provider, ...asked }) =>
    // Configurations are checked against the installed providers before they get here.
    provider === undefined
      ? Effect.die(new Error(`provider ${asked.stack.provider} is not installed`))
      : look({ ...asked, provider })
  )
})
