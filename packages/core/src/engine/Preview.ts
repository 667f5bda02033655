/**
 * Looking without touching: what a request would do, and what is there.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { DeploymentId, EnvironmentName } from "../domain/Ids.ts"
import type { ExecutionSpec, Manifest } from "../domain/Spec.ts"
import { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { Provider } from "../spi/Provider.ts"
import type { ProviderError } from "../spi/ProviderError.ts"
import type { Providers } from "../spi/Providers.ts"
import type { StoreError } from "../spi/StoreError.ts"
import { resolve } from "./Configuration.ts"
import { type Asked, eachStack, type Where } from "./EachStack.ts"
import { checkExclusive, planOne, preflight, refusalOf } from "./Preflight.ts"
import type { Refused } from "./Refused.ts"
import type { ObservedStack, PlannedStack, Request } from "./Signalbox.ts"

/**
 * Plans each stack as `submit` and `run` would; writes nothing.
 *
 * *Errors*: `Refused` where `submit` would refuse the request; `ProviderError` where a provider does not answer.
 *
 * @since 0.1.0
 */
export const plan = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<ReadonlyArray<PlannedStack>, Refused | ProviderError | StoreError, DeploymentStore | Providers> {
  const spec = yield* specOf(request)
  yield* checkExclusive(request)
  const all = yield* eachInstalled(request, spec, (asked) =>
    Effect.map(Effect.result(planOne(request, asked)), (planned) => ({ ...asked, planned }))
  )
  // The mistake that `submit` would name comes before what another provider did not answer.
  const errors = all.flatMap(({ planned }) => (Result.isFailure(planned) ? [planned.failure] : []))
  for (const error of errors) {
    const refusal = refusalOf(error)
    if (refusal !== undefined) return yield* refusal
  }
  return yield* Effect.forEach(all, ({ missing, planned, stack }) =>
    Effect.map(Effect.fromResult(planned), (plan): PlannedStack => ({
      name: stack.name,
      provider: stack.provider,
      dependsOn: stack.dependsOn,
      plan,
      waitsFor: missing,
      ...(stack.irreversible === undefined ? {} : { irreversible: stack.irreversible })
    }))
  )
})

const specOf = ({ environment, manifest, stacks, strategy }: Request) =>
  resolve(manifest, environment, {
    ...(stacks === undefined ? {} : { stacks }),
    ...(strategy === undefined ? {} : { strategy })
  })

/**
 * Refuses what `submit` would refuse because its providers know that it cannot succeed; writes nothing.
 *
 * @since 0.1.0
 */
export const check = (request: Request): Effect.Effect<void, Refused | StoreError, DeploymentStore | Providers> =>
  Effect.flatMap(specOf(request), (spec) => preflight(request, spec))

/**
 * Asks the providers what is really there; a stack that cannot be asked carries its error.
 *
 * @since 0.1.0
 */
export const observe = Effect.fnUntraced(function* (options: {
  readonly manifest: Manifest
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}): Effect.fn.Return<ReadonlyArray<ObservedStack>, Refused | StoreError, DeploymentStore | Providers> {
  const spec = yield* resolve(options.manifest, options.environment)
  return yield* eachInstalled(options, spec, ({ provider, ref, stack }) =>
    Effect.map(
      Effect.match(provider.observe(ref), { onFailure: (error) => error, onSuccess: (observed) => observed }),
      (observation): ObservedStack => ({ name: stack.name, provider: stack.provider, observation })
    )
  )
})

const eachInstalled = Effect.fnUntraced(function* <A, E>(
  where: Where,
  spec: ExecutionSpec,
  look: (asked: Asked & { readonly provider: Provider }) => Effect.Effect<A, E>
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
