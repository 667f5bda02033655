/**
 * What is out of the ordinary, by the executions that are known.
 */
import * as Effect from "effect/Effect"
import { enoughForUnusual, unusual } from "../../analysis/Estimate.ts"
import * as Run from "../../analysis/EstimateRun.ts"
import { latest as counted, pooled, samplesOf } from "../../analysis/EstimateSample.ts"
import type { ExecutionState } from "../../domain/Execution.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import type { AlertLimits } from "./MonitorState.ts"

/** How many earlier executions are gone by. */
const latest = 200

/**
 * Tells what lasts longer than 95 % of what is known of the same kind, from the executions of the same deployment that
 * succeeded; time in which people were waited for does not count. Reads them once, and what was seen of their resources.
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
      // What was never seen is compared with nothing.
      if (pool.scope === "all") return undefined
      // Of many of a kind one always takes long: what counts is the longest of each execution.
      const longest = new Map<string, number>()
      for (const { execution, ms } of pool.samples) longest.set(execution, Math.max(ms, longest.get(execution) ?? 0))
      return unusual([...longest.values()], elapsedMs)
    },
    unusualWhole: (elapsedMs) => unusual(alike, elapsedMs)
  }
})
