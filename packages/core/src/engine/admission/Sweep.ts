/**
 * Ends abandoned executions.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ExecutionState, isFinished } from "../../domain/Execution.ts"
import type { Timestamp } from "../../domain/Ids.ts"
import { type ErrorInfo, errorInfo } from "../../domain/errors/index.ts"
import { DeploymentStore, type StreamState } from "../../spi/DeploymentStore.ts"
import { type Lease, type LeaseHeld, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { claimExecution } from "../lease/index.ts"
import { environmentLeaseKey } from "../../spi/LeaseKey.ts"
import type { CleanupResult } from "../../api/QueueStatus.ts"
import { closureEvents, ExecutionLog } from "../log/index.ts"
import { withdraw } from "./Admission.ts"

/** The time without activity after which an execution counts as abandoned. */
export const forgottenAfter = Duration.days(7)

type Services = DeploymentStore | LeaseStore

const brief = Duration.seconds(10)

/**
 * Ends queued requests and executions without a runner, if there was no activity since `before`: no process will come
 * back for them, and later requests should not meet them. Observed foreign deployments are left alone.
 *
 * *Errors*: `StoreError`.
 */
export const sweep = Effect.fnUntraced(function* (
  before: Timestamp
): Effect.fn.Return<ReadonlyArray<CleanupResult>, StoreError, Services> {
  const store = yield* DeploymentStore
  const { items } = yield* store.executions({ finished: false, until: before, limit: 1_000 })
  const swept = yield* Effect.forEach(
    items.filter(({ kind }) => kind !== "observe"),
    (state) =>
      Effect.flatMap(isForgotten(state, before), (forgotten) => (forgotten ? end(state) : Effect.undefined)).pipe(
        // A runner is alive, or began at this very moment.
        Effect.catchTag("LeaseHeld", () => Effect.undefined)
      )
  )
  return swept.filter((one) => one !== undefined)
})

const isForgotten = Effect.fnUntraced(function* (
  { correlationId }: ExecutionState,
  before: Timestamp
): Effect.fn.Return<boolean, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const since = yield* store.events({ stream: correlationId, since: before, limit: 1 })
  return since.length === 0
})

const releasing = (lease: Lease) => Effect.flatMap(LeaseStore, (leases) => Effect.ignore(leases.release(lease)))

const end = Effect.fnUntraced(function* (
  state: ExecutionState
): Effect.fn.Return<CleanupResult | undefined, LeaseHeld | StoreError, Services | Scope.Scope> {
  const store = yield* DeploymentStore
  const id = state.correlationId
  const mine = yield* Effect.acquireRelease(claimExecution(id, brief), releasing)
  const ended = (yield* withdraw(id, forgotten)) || (yield* close(state, mine))
  if (!ended) return undefined
  const after = yield* store.execution(id)
  return { correlationId: id, was: state.status, now: after?.status ?? null, released: false }
}, Effect.scoped)

/** Under the lease: everything in progress counts as failed. */
const close = Effect.fnUntraced(function* (
  { correlationId: id, deploymentId, environment }: ExecutionState,
  mine: Lease
): Effect.fn.Return<boolean, LeaseHeld | StoreError, Services | Scope.Scope> {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  const key = environmentLeaseKey(deploymentId, environment)
  const purpose = { kind: "cleanup" }
  const options = { key, holder: id, owner: mine.holder, ttl: brief, sameHolder: true, purpose }
  const lock = yield* Effect.acquireRelease(leases.acquire(options), releasing)
  const decide = Effect.fnUntraced(function* ({ execution }: StreamState) {
    if (execution === undefined || isFinished(execution)) return []
    const at = yield* Clock.currentTimeMillis
    return closureEvents(execution, yield* store.environment(deploymentId, environment), at, forgotten)
  })
  return yield* ExecutionLog.write(id, decide, [mine, lock]).pipe(
    Effect.map((written) => written.length > 0),
    // It resumed at this very moment.
    Effect.catchTag(["IllegalTransition", "LeaseLost"], () => Effect.succeed(false))
  )
})

const forgotten: ErrorInfo = errorInfo("forgotten", { afterMs: Duration.toMillis(forgottenAfter) })
