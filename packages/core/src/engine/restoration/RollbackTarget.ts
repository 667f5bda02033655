/**
 * Where a rollback goes that names a version or an execution.
 */
import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../../domain/Environment.ts"
import type { ExecutionState } from "../../domain/ExecutionState.ts"
import type { ErrorInfo } from "../../domain/errors/index.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../../domain/Ids.ts"
import type { Checkpoint } from "../../domain/Release.ts"
import * as Restoration from "../../domain/Restoration.ts"
import { nearest as nearestWord } from "../../text/nearest.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { reject, type Rejected } from "../../api/Rejected.ts"

/** How many executions are read at most: what lies before them counts as not kept. */
const reach = 1_000
const named = 5

interface Place {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}

/** The checkpoints that a rollback restores, by stack. */
export type Checkpoints = ReadonlyMap<StackName, Checkpoint>

/**
 * All restorations of an environment, the latest first.
 */
export const restorationsIn = Effect.fnUntraced(function* (
  { deploymentId, environment }: Place,
  state: EnvironmentState | undefined
): Effect.fn.Return<ReadonlyArray<Restoration.Restoration>, StoreError, DeploymentStore> {
  if (state === undefined) return []
  const store = yield* DeploymentStore
  const { items } = yield* store.executions({ deploymentId, environment, limit: reach })
  return Restoration.restorations(items, state)
})

/**
 * The checkpoints of a restoration, of the stacks that it can restore.
 */
export const checkpointsOf = ({ stacks }: Restoration.Restoration): Checkpoints =>
  new Map(stacks.flatMap(({ checkpoint, name }) => (checkpoint === undefined ? [] : [[name, checkpoint] as const])))

/**
 * The checkpoints of a recorded rollback, by the state of its environment now; undefined if it goes back one release,
 * none if it cannot go where it should any more.
 */
export const targetOf = Effect.fnUntraced(function* (
  place: Place,
  to: { readonly execution: CorrelationId } | undefined,
  state: EnvironmentState | undefined
): Effect.fn.Return<Checkpoints | undefined, StoreError, DeploymentStore> {
  if (to === undefined) return undefined
  const found = (yield* restorationsIn(place, state)).find(({ execution }) => execution.correlationId === to.execution)
  return found === undefined || !Restoration.isRestorable(found) ? new Map() : checkpointsOf(found)
})

/**
 * Finds what a rollback names, limited to `only`.
 *
 * *Errors*: `Rejected`: `unknown_target`, `already_there`, or `release_not_kept` with the nearest that is.
 */
export const find = Effect.fnUntraced(function* (
  place: Place,
  to: string,
  state: EnvironmentState | undefined,
  only: ReadonlyArray<StackName> | undefined
): Effect.fn.Return<Found, Rejected | StoreError, DeploymentStore> {
  const all = (yield* restorationsIn(place, state)).map(({ execution, stacks }) => ({
    execution,
    stacks: stacks.filter(({ name }) => only === undefined || only.includes(name))
  }))
  const where = { deployment: place.deploymentId, environment: place.environment }
  const history = { remedies: [{ _tag: "history", ...where } as const] }
  const found = Restoration.restorationOf(all, to)
  if (found === undefined) {
    const known = [...new Set(all.flatMap(({ execution }) => execution.version ?? []))].slice(0, named)
    return yield* reject("unknown_target", { ...where, to, nearest: nearestWord(to, known), known }, history)
  }
  if (found.stacks.length === 0) return yield* reject("already_there", { ...where, to }, history)
  const others = Restoration.nearest(all, found)
  const lacking = found.stacks.find(({ lacks }) => lacks !== undefined)
  if (lacking !== undefined) return yield* notKept(place, to, lacking, others[0])
  return { restoration: found, others }
})

/** What a rollback restores, and what else could be restored, the nearest first. */
export interface Found {
  readonly restoration: Restoration.Restoration
  readonly others: ReadonlyArray<Restoration.Restoration>
}

/** How a person names it. */
const nameOf = ({ correlationId, version }: ExecutionState): string =>
  version === undefined ? correlationId : `${version} (${correlationId})`

/**
 * The rejection of what is not kept any more.
 */
export const notKept = (
  { deploymentId: deployment, environment }: Place,
  to: string,
  { lacks, name: stack, release }: Pick<Restoration.RestoredStack, "name" | "release" | "lacks">,
  other: Restoration.Restoration | undefined,
  detail?: ErrorInfo["detail"]
): Rejected =>
  reject(
    "release_not_kept",
    {
      to,
      stack,
      version: release?.version,
      lacks: lacks ?? "provider",
      nearest: other === undefined ? undefined : nameOf(other.execution)
    },
    {
      detail,
      remedies: [
        ...(other === undefined
          ? []
          : [{ _tag: "rollback_to", deployment, environment, execution: other.execution.correlationId } as const]),
        { _tag: "history", deployment, environment }
      ]
    }
  )
