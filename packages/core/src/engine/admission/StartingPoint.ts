/**
 * What an execution starts from: its stacks, and the previous state of each.
 */
import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../../domain/Environment.ts"
import * as EventId from "../../domain/EventId.ts"
import type { StackBefore } from "../../domain/Event.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, StackName } from "../../domain/Ids.ts"
import type { DeploymentStatus, ExecutionKind } from "../../domain/Machines.ts"
import type { ExecutionSpec, StackSpec } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { Lease, LeaseHeld, LeaseLost, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import type { DueEvent } from "../log/index.ts"
import { takenBackSpec } from "./RecordedManifest.ts"
import { RollbackTarget } from "../restoration/index.ts"
import { supersede } from "./Supersession.ts"

export interface StartingPoint {
  readonly deploymentBefore: DeploymentStatus
  readonly stacksBefore: ReadonlyArray<StackBefore>
  readonly spec: ExecutionSpec
}

/**
 * Reads it from the state of the environment. A rollback works on the stacks with an earlier release, or on those with
 * one of `targets`; rollback and destruction work on the record, limited to `only`, and not on the request.
 */
export const startingPoint = (
  kind: ExecutionKind,
  asked: ExecutionSpec,
  environment: EnvironmentState | undefined,
  only?: ReadonlyArray<StackName>,
  targets?: RollbackTarget.Checkpoints
): StartingPoint => {
  const spec = takenBackSpec(kind, asked, environment, only)
  const before = (name: StackName): StackBefore => {
    const known = environment?.stacks.find((stack) => stack.name === name)
    return {
      name,
      status: known?.status ?? "not_deployed",
      release: known?.release ?? null,
      checkpoint: (targets === undefined ? known?.checkpoint : targets.get(name)) ?? null,
      outputs: known?.outputs ?? {}
    }
  }
  const stacks = kind === "rollback" ? spec.stacks.filter((stack) => goesBack(stack, before(stack.name))) : spec.stacks
  const names = new Set([...(environment?.stacks ?? []), ...stacks].map(({ name }) => name))
  return {
    deploymentBefore: environment?.status ?? "initialized",
    stacksBefore: [...names].map(before),
    spec: { ...spec, stacks }
  }
}

/** A destroyed stack is deployed again, not rolled back. */
const goesBack = (stack: StackSpec, { checkpoint, release, status }: StackBefore): boolean =>
  stack.irreversible === undefined &&
  (status === "deployed" || status === "failed") &&
  checkpoint !== null &&
  checkpoint.release !== null &&
  checkpoint.release.id !== release?.id

/**
 * Whether there is nothing to do: a rollback of an environment without an earlier release.
 */
export const isEmpty = (kind: ExecutionKind, { spec }: StartingPoint): boolean =>
  kind === "rollback" && spec.stacks.length === 0

/** The subject of an execution, and its environment. */
interface Starting {
  readonly correlationId: CorrelationId
  readonly kind: ExecutionKind
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}

/** The starting point of an execution under its lease, and the execution that it replaces. */
export interface LeasedStart {
  readonly from: StartingPoint
  readonly environment: EnvironmentState | undefined
  readonly supersedes: { readonly supersedes?: CorrelationId }
}

/**
 * Closes the unfinished execution in `found`, the environment as it was read under the lease, and returns the starting
 * point of the next one: its predecessor has changed the state.
 *
 * *Errors*: `LeaseHeld` if the predecessor still has a runner, `LeaseLost` if `lock` is gone.
 */
export const startUnderLease = Effect.fnUntraced(function* (
  { correlationId: id, deploymentId, environment, kind }: Starting,
  asked: {
    readonly spec: ExecutionSpec
    readonly only: ReadonlyArray<StackName> | undefined
    readonly to: { readonly execution: CorrelationId } | undefined
  },
  found: EnvironmentState | undefined,
  lock: Lease
): Effect.fn.Return<LeasedStart, LeaseHeld | LeaseLost | StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const before = found?.current ?? undefined
  const closed = before !== undefined && (yield* supersede(before, id, found, lock))
  const now = closed ? yield* store.environment(deploymentId, environment) : found
  const targets = yield* RollbackTarget.targetOf({ deploymentId, environment }, asked.to, now)
  return {
    from: startingPoint(kind, asked.spec, now, asked.only, targets),
    environment: now,
    supersedes: before === undefined ? {} : { supersedes: before }
  }
})

/** Records the lease that an execution starts under. */
export const leaseAcquired = ({ fence, key }: Lease, at: number): DueEvent => ({
  id: EventId.lease(fence),
  at,
  event: { _tag: "LeaseAcquired", key, fence }
})
