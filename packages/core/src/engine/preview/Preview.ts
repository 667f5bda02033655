/**
 * Read-only questions: what a request would do, and the actual state.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { EnvironmentState } from "../../domain/Environment.ts"
import type { DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import type { ExecutionSpec, Manifest, StackSpec } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { Provider } from "../../spi/Provider.ts"
import { ProviderError } from "../../spi/ProviderError.ts"
import type { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { artifactFor, checkArtifacts, resolve, resolveFor, valuesOf } from "../../config/Configuration.ts"
import {
  type StackAsked,
  eachStack,
  type StackPlace,
  checkExclusive,
  checkGates,
  planOne,
  refusalOf,
  RecordedManifest
} from "../admission/index.ts"
import type { Rejected } from "../../api/Rejected.ts"
import type { ObservedStack, PlannedStack } from "../../api/Plan.ts"
import type { Request } from "../../api/Request.ts"

/**
 * Plans each stack as `submit` and `run` would; writes nothing.
 *
 * *Errors*: `Rejected` if `submit` would reject the request; `ProviderError` if a provider does not answer.
 */
export const plan = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<ReadonlyArray<PlannedStack>, Rejected | ProviderError | StoreError, DeploymentStore | Providers> {
  yield* checkArtifacts(request, request.manifest)
  const spec = yield* resolveFor(request, request.manifest)
  const values = yield* valuesOf(request, request.manifest)
  yield* checkExclusive(request)
  yield* checkGates(spec)
  const all = yield* eachInstalled(request, spec, (asked) =>
    Effect.map(Effect.result(planOne(request, asked)), (planned) => ({ ...asked, planned }))
  )
  // A mistake that `submit` would name goes before another provider's missing answer.
  const errors = all.flatMap(({ planned }) => (Result.isFailure(planned) ? [planned.failure] : []))
  for (const error of errors) {
    const refusal = refusalOf(error)
    if (refusal !== undefined) return yield* refusal
  }
  return yield* Effect.forEach(all, ({ missing, planned, ref, stack }) =>
    Effect.map(Effect.fromResult(planned), (plan): PlannedStack => ({
      name: stack.name,
      provider: stack.provider,
      dependsOn: stack.dependsOn,
      plan,
      waitsFor: missing,
      ...artifactFor(request, stack.name),
      ...filledIn(values.get(stack.name) ?? {}),
      ...(ref.region === undefined ? {} : { region: ref.region }),
      ...(ref.account === undefined ? {} : { account: ref.account }),
      ...(stack.irreversible === undefined ? {} : { irreversible: stack.irreversible })
    }))
  )
})

const filledIn = (values: Readonly<Record<string, string>>) => (Object.keys(values).length === 0 ? {} : { values })

/** The record of an environment, and its configuration by the record where there is one. */
export const recordOf = Effect.fnUntraced(function* (options: {
  readonly manifest: Manifest
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}): Effect.fn.Return<
  { readonly manifest: Manifest; readonly state: EnvironmentState | undefined },
  StoreError,
  DeploymentStore
> {
  const store = yield* DeploymentStore
  const { deploymentId, environment } = options
  const deployment = yield* store.deployment(deploymentId)
  const state = yield* store.environment(deploymentId, environment)
  if (deployment === undefined) return { manifest: options.manifest, state }
  return { manifest: RecordedManifest.manifest(deployment, environment, state, options.manifest), state }
})

/**
 * Asks the providers for the actual state, using the record; a stack that cannot be asked carries its error.
 */
export const observe = Effect.fnUntraced(function* (options: {
  readonly manifest: Manifest
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}): Effect.fn.Return<ReadonlyArray<ObservedStack>, Rejected | StoreError, DeploymentStore | Providers> {
  const { manifest, state } = yield* recordOf(options)
  const spec = yield* resolve(manifest, options.environment)
  return yield* eachStack(options, spec, state, ({ provider, ref, stack }) =>
    Effect.map(
      provider === undefined
        ? Effect.succeed(notInstalled(stack, "observe"))
        : Effect.match(provider.observe(ref), { onFailure: (error) => error, onSuccess: (observed) => observed }),
      (observation): ObservedStack => ({ name: stack.name, provider: stack.provider, observation })
    )
  )
})

export const notInstalled = ({ name, provider }: StackSpec, operation: string): ProviderError =>
  new ProviderError({
    provider,
    operation,
    stackName: name,
    reason: { _tag: "Unsupported", capability: operation, message: `the provider "${provider}" is not installed` }
  })

const eachInstalled = Effect.fnUntraced(function* <A, E>(
  where: StackPlace,
  spec: ExecutionSpec,
  look: (asked: StackAsked & { readonly provider: Provider }) => Effect.Effect<A, E>
): Effect.fn.Return<ReadonlyArray<A>, E | StoreError, DeploymentStore | Providers> {
  const store = yield* DeploymentStore
  const environment = yield* store.environment(where.deploymentId, where.environment)
  return yield* eachStack(where, spec, environment, ({ provider, ...asked }) =>
    // Configurations are validated against the installed providers before they get here.
    provider === undefined
      ? Effect.die(new Error(`provider ${asked.stack.provider} is not installed`))
      : look({ ...asked, provider })
  )
})
