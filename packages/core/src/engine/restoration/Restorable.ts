/**
 * Read-only questions about where a deployment can go back to.
 */
import * as Effect from "effect/Effect"
import type { ExecutionState } from "../../domain/ExecutionState.ts"
import * as Restoration from "../../domain/Restoration.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import * as RollbackTarget from "./RollbackTarget.ts"
import type { Rejected } from "../../api/Rejected.ts"
import type { Request } from "../../api/Request.ts"

/**
 * The restorations to the executions among these that one can go back to, by the record; no provider is asked.
 */
export const among = Effect.fnUntraced(function* (
  executions: ReadonlyArray<ExecutionState>
): Effect.fn.Return<ReadonlyArray<Restoration.Restoration>, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const places = Map.groupBy(executions, (one) => `${one.deploymentId}/${one.environment}`)
  const found = yield* Effect.forEach(
    places.values(),
    Effect.fnUntraced(function* (asked) {
      const [place] = asked
      const ids = new Set(asked.map(({ correlationId }) => correlationId))
      const meant = ({ execution }: Restoration.Restoration) => ids.has(execution.correlationId)
      const enough = (all: ReadonlyArray<Restoration.Restoration>, read: ReadonlyArray<ExecutionState>) =>
        read.filter(({ correlationId }) => ids.has(correlationId)).length === ids.size &&
        all.filter(meant).every(RollbackTarget.isComplete)
      const state = yield* store.environment(place!.deploymentId, place!.environment)
      return (yield* RollbackTarget.restorationsIn(place!, state, enough)).filter(meant)
    })
  )
  return found.flat().filter(Restoration.isRestorable)
})

/**
 * The checkpoints that a rollback restores if it names where it goes.
 *
 * *Errors*: `Rejected`: see `RollbackTarget.find`.
 */
export const restored = Effect.fnUntraced(function* (
  request: Pick<Request, "deploymentId" | "environment" | "stacks" | "to">
): Effect.fn.Return<RollbackTarget.Checkpoints | undefined, Rejected | StoreError, DeploymentStore> {
  if (request.to === undefined) return undefined
  const store = yield* DeploymentStore
  const state = yield* store.environment(request.deploymentId, request.environment)
  const { restoration } = yield* RollbackTarget.find(request, request.to, state, request.stacks)
  return RollbackTarget.checkpointsOf(restoration)
})
