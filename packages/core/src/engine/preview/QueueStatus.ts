/**
 * The queue of a lease as people see it: positions, and durations.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Blocker } from "../../api/CanDeployAnswer.ts"
import type { QueuePlace, QueueStatus } from "../../api/QueueStatus.ts"
import { lockOn } from "../../domain/Environment.ts"
import { type ExecutionState, isFinished, isQueued, waitsForPeople } from "../../domain/Execution.ts"
import type { DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import * as Queue from "../../domain/Queue.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { isWaiting, requestsAhead } from "../queue/index.ts"
import { policyBlockers, overridePasses } from "../admission/index.ts"
import { estimate } from "../estimation/index.ts"
import { holderAndQueueBlockers } from "./CurrentHolder.ts"
import { requestOf } from "../log/index.ts"
import { isMarkOf, runsAround } from "../command/index.ts"
import { currentLease, RunnerIdentity } from "../lease/index.ts"
import { holderOf } from "../../spi/LeaseKey.ts"
import { reject, type Rejected } from "../../api/Rejected.ts"

/**
 * The queue position of a request.
 *
 * *Errors*: `StoreError`.
 */
export const placeOf = Effect.fnUntraced(function* (
  state: ExecutionState
): Effect.fn.Return<QueuePlace, StoreError, DeploymentStore | LeaseStore> {
  if (!isQueued(state)) return { position: null, ahead: [], left: undefined }
  const store = yield* DeploymentStore
  const lease = yield* currentLease(state.deploymentId, state.environment)
  const before = yield* requestsAhead(state, overridePasses(state))
  const id = lease === undefined ? undefined : holderOf(lease)
  const holder = id === undefined ? undefined : yield* store.execution(id)
  const all = [...(holder === undefined || isFinished(holder) ? [] : [holder]), ...before]
  const last = all.at(-1)
  const latest = last === undefined ? undefined : yield* store.execution(last.correlationId)
  return {
    position: before.length + 1,
    ahead: all.map(({ by, correlationId, kind }) => ({ by, correlationId, kind })),
    // The remaining time of the last one includes those ahead of it; people's response time is unknown.
    left: latest === undefined || (holder !== undefined && waitsForPeople(holder)) ? undefined : yield* estimate(latest)
  }
})

/**
 * The holder of an environment's lease, the lock, and the queue, in order.
 *
 * *Errors*: `StoreError`.
 */
export const queueStatus = Effect.fnUntraced(function* (
  deploymentId: DeploymentId,
  name: EnvironmentName
): Effect.fn.Return<QueueStatus, StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const { isDead } = yield* RunnerIdentity
  const now = yield* Clock.currentTimeMillis
  const lease = yield* currentLease(deploymentId, name)
  const environment = yield* store.environment(deploymentId, name)
  const waits = yield* isWaiting
  let position = 0
  return {
    lease,
    isDead: lease !== undefined && isDead(lease.owner),
    lock: lockOn(yield* store.deployment(deploymentId), name, now),
    queue: Queue.inOrder(environment?.queue ?? []).map((ticket) => ({
      ticket,
      position: waits(ticket) ? ++position : null
    }))
  }
})

/**
 * Rejects what runs inside the very command that holds its lease: it would wait for itself forever.
 *
 * *Details*: `env` is the environment of the process: `SIGNALBOX_RUN` marks the command that it is part of, and
 * `SIGNALBOX_OUTER_RUNS` those around that. With the `purpose` `command` the hint is to run the command itself.
 *
 * *Errors*: `Rejected`: `blocked` (`nested_run`).
 */
export const rejectNested = Effect.fnUntraced(function* (
  lock: Pick<ExecutionState, "deploymentId" | "environment">,
  env: Readonly<Record<string, string | undefined>>,
  purpose?: "command"
): Effect.fn.Return<void, Rejected | StoreError, LeaseStore> {
  const outer = runsAround(env)
  if (outer.length === 0) return
  const { deploymentId, environment } = lock
  const lease = yield* currentLease(deploymentId, environment)
  if (lease === undefined || !outer.some((mark) => isMarkOf(mark, lock, lease.holder))) return
  return yield* reject("nested_run", { execution: lease.holder, deployment: deploymentId, environment, purpose })
})

/** The queue position of a request; while it has one, its blockers: those ahead of it, and its policy blockers. */
export interface WaitingRequest {
  readonly place: QueuePlace
  readonly blockers: ReadonlyArray<Blocker>
}

/**
 * What a request waits for, from the store alone.
 *
 * *Errors*: `StoreError`.
 */
export const waitingOf = Effect.fnUntraced(function* (
  state: ExecutionState
): Effect.fn.Return<WaitingRequest, StoreError, DeploymentStore | LeaseStore> {
  const place = yield* placeOf(state)
  const request = place.position === null ? undefined : yield* requestOf(state.correlationId)
  if (request === undefined) return { place, blockers: [] }
  return { place, blockers: [...(yield* holderAndQueueBlockers(request)), ...(yield* policyBlockers(request))] }
})
