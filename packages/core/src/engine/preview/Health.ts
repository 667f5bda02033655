import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { ObservedStack, StackHealth } from "../../api/Plan.ts"
import type { Rejected } from "../../api/Rejected.ts"
import { resolve } from "../../config/Configuration.ts"
import { stackRefOf } from "../../config/StackRefs.ts"
import type { DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import type { Release } from "../../domain/Release.ts"
import type { ExecutionSpec, Manifest, StackSpec } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { MetricSources } from "../../spi/MetricSource.ts"
import type { StackRef } from "../../spi/Provider.ts"
import { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import * as MetricWindow from "../../analysis/MetricWindow.ts"
import { metricSourceOf } from "../../internal/metricSourceOf.ts"
import { grainOf } from "../../internal/grainOf.ts"
import { observe } from "./Preview.ts"

const errorsOf = Effect.fnUntraced(function* (ref: StackRef, stack: StackSpec, release: Release | null) {
  const provider = (yield* Providers).get(stack.provider)
  const known = stack.metrics === undefined || (yield* MetricSources).has(stack.metrics.source)
  const source = known ? yield* metricSourceOf(stack, provider) : undefined
  if (source === undefined || release === null) return null
  const now = yield* Clock.currentTimeMillis
  const length = Duration.toMillis(stack.gate.errorWindow)
  const window = MetricWindow.windowAt(grainOf(source), { now, length, notBefore: -Infinity })
  const measured = yield* Effect.result(
    source.measure(ref, { releaseId: release.id, version: release.version, ...window })
  )
  return Result.isSuccess(measured) ? { errors: measured.success.errors, requests: measured.success.requests } : null
})

/**
 * Asks the providers for the health of an environment's stacks; `manifest` is the one that they were deployed with.
 *
 * *Errors*: `Rejected` for an unknown environment; `StoreError`. A provider's failure is part of the answer.
 */
export const health = Effect.fnUntraced(function* (place: {
  readonly manifest: Manifest
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}): Effect.fn.Return<ReadonlyArray<StackHealth>, Rejected | StoreError, DeploymentStore | Providers> {
  const { deploymentId, environment, manifest } = place
  const store = yield* DeploymentStore
  const spec: ExecutionSpec = yield* resolve(manifest, environment)
  const state = yield* store.environment(deploymentId, environment)
  const outputs = new Map(state?.stacks.map((stack) => [stack.name, stack.outputs]))
  return yield* Effect.forEach(
    yield* observe(place),
    Effect.fnUntraced(function* (observed: ObservedStack) {
      const stack = spec.stacks.find(({ name }) => name === observed.name)!
      const known = state?.stacks.find(({ name }) => name === observed.name)
      const release = "stable" in observed.observation ? observed.observation.stable : null
      const { ref } = stackRefOf(place, spec, stack, outputs)
      return {
        ...observed,
        expected: known?.status === "deployed" || known?.status === "failed",
        errors: yield* errorsOf(ref, stack, release),
        windowMs: Duration.toMillis(stack.gate.errorWindow),
        minHealthyPercentage: stack.gate.minHealthyPercentage,
        maxErrorCount: stack.gate.maxErrorCount
      }
    }),
    { concurrency: 8 }
  )
})
