/**
 * What is out of the ordinary, by the executions that are known.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { enoughForUnusual, unusual } from "../analysis/Estimate.ts"
import * as Run from "../analysis/EstimateRun.ts"
import { pooled, samplesOf } from "../analysis/EstimateSample.ts"
import type { ExecutionState } from "../domain/Execution.ts"
import { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { StoreError } from "../spi/StoreError.ts"
import type { Limits } from "./MonitorState.ts"

/** How many earlier executions are gone by. */
const latest = 200

/**
 * Tells what lasts longer than 95 % of what is known of the same kind, from the executions of the same deployment that
 * succeeded; time in which people were waited for does not count. Reads them once.
 *
 * @since 0.1.0
 */
export const unusualIn = Effect.fnUntraced(function* (
  execution: ExecutionState
): Effect.fn.Return<Pick<Limits, "unusual" | "unusualWhole">, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { deploymentId, environment, kind } = execution
  const { items } = yield* store.executions({ deploymentId, statuses: ["completed"], limit: latest })
  const samples = items.flatMap((state) => samplesOf(state))
  const alike = items
    .filter((state) => state.kind === kind && state.environment === environment && state.finishedAt !== undefined)
    .map((state) => Run.ofState(state, state.finishedAt!).elapsedMs)
  return {
    unusual: ({ stack, stage }, state, elapsedMs) => {
      const found = Run.ofState(state, state.requestedAt).stacks.find(({ name }) => name === stack)
      if (found === undefined) return undefined
      const { provider, strategy } = found
      const key = { deploymentId, environment, stack, provider, stage, ...(strategy === undefined ? {} : { strategy }) }
      const pool = pooled(samples, key, enoughForUnusual)
      // What was hardly ever seen is compared with nothing.
      if (pool.scope === "all" || pool.n < enoughForUnusual) return undefined
      const durations = pool.samples.map(({ ms }) => ms)
      const slow = unusual(durations, elapsedMs)
      return slow === undefined ? undefined : { ...slow, n: pool.n }
    },
    unusualWhole: (elapsedMs) => unusual(alike, elapsedMs)
  }
})
