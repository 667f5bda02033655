/**
 * What is out of the ordinary, by the executions that are known.
 *
 * @since 0.2.0
 */
import * as Effect from "effect/Effect"
import { enoughForUnusual, unusual } from "../analysis/Estimate.ts"
import { pooled, samplesOf } from "../analysis/EstimateSample.ts"
import type { ExecutionState } from "../domain/Execution.ts"
import { DeploymentStore } from "../spi/DeploymentStore.ts"
import type { StoreError } from "../spi/StoreError.ts"
import type { Limits } from "./MonitorState.ts"

/** How many earlier executions are gone by. */
const latest = 200

const lasted = ({ finishedAt, startedAt }: ExecutionState): ReadonlyArray<number> =>
  startedAt === undefined || finishedAt === undefined ? [] : [finishedAt - startedAt]

/**
 * Tells what lasts longer than 95 % of what is known of the same kind, from the executions of the same deployment that
 * succeeded. Reads them once.
 *
 * @since 0.2.0
 */
export const unusualIn = Effect.fnUntraced(function* (
  execution: ExecutionState
): Effect.fn.Return<Pick<Limits, "unusual" | "unusualWhole">, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const { deploymentId, environment, kind } = execution
  const { items } = yield* store.executions({ deploymentId, statuses: ["completed"], limit: latest })
  const samples = items.flatMap((state) => samplesOf(state))
  const alike = items.filter((state) => state.kind === kind && state.environment === environment).flatMap(lasted)
  return {
    unusual: ({ stack, stage }, { stacks }, elapsedMs) => {
      const found = stacks.find(({ name }) => name === stack)
      if (found === undefined) return undefined
      const { provider, strategy } = found
      const key = { deploymentId, environment, stack, provider, stage, ...(strategy === undefined ? {} : { strategy }) }
      const pool = pooled(samples, key, enoughForUnusual)
      // What was never seen is compared with nothing.
      return pool.scope === "all"
        ? undefined
        : unusual(
            pool.samples.map(({ ms }) => ms),
            elapsedMs
          )
    },
    unusualWhole: (elapsedMs) => unusual(alike, elapsedMs)
  }
})
