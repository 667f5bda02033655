/**
 * What is unusual, based on known executions.
 */
import * as Effect from "effect/Effect"
import { enoughForUnusual, unusual } from "../../analysis/Estimate.ts"
import * as Run from "../../analysis/EstimateRun.ts"
import { latest as counted, pooled, samplesOf } from "../../analysis/EstimateSample.ts"
import type { ExecutionState } from "../../domain/Execution.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import type { AlertLimits } from "./StallDetection.ts"

/** How many earlier executions are used. */
const latest = 200

/**
 * Detects what lasts longer than 95 % of its kind, from the successful executions of the same deployment, without the
 * time spent waiting for people. Reads them, and the recorded resources, once.
 */
export const thresholdsFor = Effect.fnUntraced(function* (
  execution: ExecutionState
): Effect.fn.Return<Pick<AlertLimits, "unusual" | "unusualWhole">, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { deploymentId, environment, kind } = execution
  const { items } = yield* store.executions({ deploymentId, statuses: ["completed"], limit: latest })
  const since = Math.min(...items.slice(0, counted).map(({ requestedAt }) => requestedAt))
  const seen =
    items.length === 0 ? [] : yield* store.events({ deploymentId, tags: ["ProgressReported"], since, limit: 10_000 })
  const seenOf = Map.groupBy(seen, ({ stream }) => stream)
  const samples = items.flatMap((state) => samplesOf(state, seenOf.get(state.correlationId)))
  const alike = items
    .filter((state) => state.kind === kind && state.environment === environment && state.finishedAt !== undefined)
    .map((state) => Run.ofState(state, state.finishedAt!).elapsedMs)
  return {
    unusual: ({ resource, stack, stage }, state, elapsedMs) => {
      const found = Run.ofState(state, state.requestedAt).stacks.find(({ name }) => name === stack)
      if (found === undefined) return undefined
      const { provider, strategy } = found
      const key = {
        deploymentId,
        environment,
        stack,
        provider,
        stage,
        ...(resource === undefined ? {} : { resourceType: resource.type }),
        ...(strategy === undefined ? {} : { strategy })
      }
      const pool = pooled(samples, key, enoughForUnusual)
      // Without history, there is no comparison.
      if (pool.scope === "all") return undefined
      // Among many of a kind one always takes long: the longest of each execution counts.
      const longest = new Map<string, number>()
      for (const { execution, ms } of pool.samples) longest.set(execution, Math.max(ms, longest.get(execution) ?? 0))
      return unusual([...longest.values()], elapsedMs)
    },
    unusualWhole: (elapsedMs) => unusual(alike, elapsedMs)
  }
})
