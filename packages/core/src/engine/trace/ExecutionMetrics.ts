/**
 * The metrics of a run, if telemetry is on.
 */
import * as Effect from "effect/Effect"
import { type ExecutionState, isFinished } from "../../domain/Execution.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { Metrics, Telemetry } from "../../telemetry/index.ts"
import { pipelineOf, resultOf } from "./Trace.ts"

const record = (pipeline: string, state: ExecutionState): Effect.Effect<void> => {
  const result = resultOf(state)
  const fine = result === "success" || result === "cancellation"
  return Metrics.recordRun({
    pipeline,
    result,
    seconds: ((state.finishedAt ?? state.requestedAt) - state.requestedAt) / 1_000,
    errorType: fine ? undefined : (state.error?.code ?? state.status)
  })
}

/** Counts a run as active while it works, and records the outcome of the execution if it ends there. */
export const recordMetrics =
  (id: CorrelationId) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | StoreError, R | DeploymentStore> =>
    Effect.flatMap(Telemetry, (telemetry) =>
      telemetry === undefined
        ? work
        : Effect.gen(function* () {
            const store = yield* DeploymentStore
            const before = yield* store.execution(id)
            if (before === undefined || isFinished(before)) return yield* work
            const deployment = yield* store.deployment(before.deploymentId)
            const pipeline = pipelineOf(before.kind, deployment?.project ?? before.deploymentId)
            const end = Effect.ignore(
              Effect.flatMap(store.execution(id), (after) =>
                after !== undefined && isFinished(after) ? record(pipeline, after) : Effect.void
              )
            )
            return yield* Effect.acquireUseRelease(
              Metrics.countActive(pipeline, 1),
              () => work,
              () => Effect.andThen(Metrics.countActive(pipeline, -1), end)
            )
          })
    )
