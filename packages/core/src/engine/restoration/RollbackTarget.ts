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
/** How many are read at a time. */
const pageSize = 100
const named = 5

interface Place {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}

/** The checkpoints that a rollback restores, by stack. */
export type Checkpoints = ReadonlyMap<StackName, Checkpoint>

/**
 * The restorations of an environment, the latest first.
 *
 * *Details*: reads no further back than `enough` says, because each execution takes time to read. What an older
 * execution may still tell (`lacks` the record) is for the caller to decide.
 */
export const restorationsIn = Effect.fnUntraced(function* (
  { deploymentId, environment }: Place,
  state: EnvironmentState | undefined,
  enough: (found: ReadonlyArray<Restoration.Restoration>, read: ReadonlyArray<ExecutionState>) => boolean
): Effect.fn.Return<ReadonlyArray<Restoration.Restoration>, StoreError, DeploymentStore> {
  if (state === undefined) return []
  const store = yield* DeploymentStore
  const read: Array<ExecutionState> = []
  let cursor: string | undefined
  for (;;) {
    const page = yield* store.executions({
      deploymentId,
      environment,
      limit: pageSize,
      ...(cursor === undefined ? {} : { cursor })
    })
    read.push(...page.items)
    cursor = page.next
    const found = Restoration.restorations(read, state)
    if (cursor === undefined || read.length >= reach || enough(found, read)) return found
  }
})

/** Whether the record tells all about a restoration; if not, an older execution may. */
export const isComplete = ({ stacks }: Restoration.Restoration): boolean =>
  stacks.every(({ lacks }) => lacks !== "record")

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
  const meant = ({ execution }: Restoration.Restoration) => execution.correlationId === to.execution
  const found = (yield* restorationsIn(place, state, (all) => all.some((one) => meant(one) && isComplete(one)))).find(
    meant
  )
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
  const limited = (all: ReadonlyArray<Restoration.Restoration>) =>
    all.map(({ execution, stacks }) => ({
      execution,
      stacks: stacks.filter(({ name }) => only === undefined || only.includes(name))
    }))
  const enough = (all: ReadonlyArray<Restoration.Restoration>) => {
    const meant = Restoration.restorationOf(limited(all), to)
    return meant !== undefined && isComplete(meant)
  }
  const all = limited(yield* restorationsIn(place, state, enough))
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
