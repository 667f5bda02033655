import type { Estimate } from "../../analysis/Estimate.ts"
import type { EnvironmentLock, Veto } from "../../domain/Environment.ts"
import type { ExecutionState } from "../../domain/ExecutionState.ts"
import type { CorrelationId, DeploymentId, EnvironmentName, Timestamp } from "../../domain/Ids.ts"
import type { Ticket } from "../../domain/Queue.ts"
import type { Lease } from "../../spi/LeaseStore.ts"
import type {
  BlockerView,
  CanDeployView,
  CleanupView,
  EnvironmentLockView,
  LeaseView,
  LockView,
  PlaceView,
  RegisteredView,
  RemainingTime,
  VetoView,
  WaitingView
} from "../CoordinationView.ts"
import type { ErrorInfo } from "../../domain/errors/index.ts"
import { describeCause, describeWaysOut } from "../../text/index.ts"
import { instantOf, instantOrNull } from "./instantOf.ts"

interface Times {
  readonly low: Timestamp
  readonly point: Timestamp
  readonly high: Timestamp
  readonly basis: "known" | "history" | "few"
  readonly n: number | null
}

type Blocking = Pick<BlockerView, "kind" | "who" | "consoleUrl"> & {
  readonly info: ErrorInfo
  readonly since: Timestamp | null
  readonly clearsAt: Times | null
}

/** Shows blockers. */
export const blockerView = ({ clearsAt, consoleUrl, info, kind, since, who }: Blocking): BlockerView => ({
  kind,
  code: info.code,
  message: describeCause(info),
  params: info.params,
  ...(info.detail === undefined ? {} : { detail: info.detail }),
  who,
  since: since === null ? null : instantOf(since),
  clearsAt:
    clearsAt === null
      ? null
      : {
          low: instantOf(clearsAt.low),
          point: instantOf(clearsAt.point),
          high: instantOf(clearsAt.high),
          basis: clearsAt.basis,
          n: clearsAt.n
        },
  consoleUrl,
  override: describeWaysOut(info.remedies) ?? null,
  remedies: info.remedies ?? []
})

interface Where {
  readonly deploymentId: DeploymentId
  readonly environment: EnvironmentName
}

/** Shows whether something may be deployed. */
export const canDeployView = (
  { deploymentId, environment }: Where,
  answer: {
    readonly canDeploy: boolean
    readonly degraded: string | null
    readonly blockers: ReadonlyArray<Blocking>
    readonly queue: number
    readonly nextFreeze: { readonly name: string; readonly since: Timestamp; readonly until: Timestamp } | null
    readonly checkedAt: Timestamp
  }
): CanDeployView => {
  const { nextFreeze } = answer
  return {
    deploymentId,
    environment,
    canDeploy: answer.canDeploy,
    degraded: answer.degraded !== null,
    degradedReason: answer.degraded,
    blockers: answer.blockers.map(blockerView),
    queue: { length: answer.queue },
    nextFreeze:
      nextFreeze === null
        ? null
        : { name: nextFreeze.name, since: instantOf(nextFreeze.since), until: instantOf(nextFreeze.until) },
    checkedAt: instantOf(answer.checkedAt)
  }
}

/** Shows an estimate; null if nothing is in progress. */
export const estimateView = (estimate: Estimate | undefined): RemainingTime | null => {
  if (estimate === undefined) return null
  const { basis, coverage, high, low, n, point, scope } = estimate
  return { remainingMs: point, lowMs: low, highMs: high, coverage, n, basis, scope }
}

interface Place {
  readonly position: number | null
  readonly ahead: ReadonlyArray<{ readonly correlationId: CorrelationId }>
  readonly left: Estimate | undefined
}

/** Shows a queue position. */
export const placeView = (place: Place): PlaceView => ({
  position: place.position,
  ahead: place.ahead.map(({ correlationId }) => correlationId)
})

/** Shows a registered request. */
export const registeredView = (state: ExecutionState, place: Place, duplicate: boolean): RegisteredView => ({
  correlationId: state.correlationId,
  deploymentId: state.deploymentId,
  environment: state.environment,
  kind: state.kind,
  status: state.status,
  ...placeView(place),
  estimate: estimateView(place.left),
  duplicate
})

const waitingView = ({ position, ticket }: Line["queue"][number]): WaitingView => ({
  position,
  correlationId: ticket.correlationId,
  kind: ticket.kind,
  by: ticket.by,
  version: ticket.version ?? null,
  policy: ticket.policy,
  commit: ticket.origin?.commit ?? null,
  workflowRun: ticket.origin?.workflowRun ?? null,
  since: instantOf(ticket.at)
})

/** Shows the lock of a person. */
export const environmentLockView = ({ at, by, environment, reason, until }: EnvironmentLock): EnvironmentLockView => ({
  environment,
  by,
  reason,
  since: instantOf(at),
  until: instantOrNull(until)
})

interface Line {
  readonly lease: Lease | undefined
  readonly isDead: boolean
  readonly lock: EnvironmentLock | undefined
  readonly queue: ReadonlyArray<{ readonly ticket: Ticket; readonly position: number | null }>
}

/** Shows the lease of an environment; null if there is none. */
export const leaseView = ({ isDead, lease }: Pick<Line, "isDead" | "lease">): LeaseView | null =>
  lease === undefined
    ? null
    : {
        holder: lease.holder,
        owner: lease.owner,
        kind: lease.purpose?.kind ?? null,
        by: lease.purpose?.by ?? null,
        since: instantOf(lease.acquiredAt),
        expiresAt: instantOf(lease.expiresAt),
        dead: isDead
      }

/** Shows an environment with its lease, its lock and its queue. */
export const lockView = ({ deploymentId, environment }: Where, line: Line): LockView => ({
  deploymentId,
  environment,
  lease: leaseView(line),
  lock: line.lock === undefined ? null : environmentLockView(line.lock),
  queue: line.queue.map(waitingView)
})

/** Shows a veto. */
export const vetoView = ({ at, ...veto }: Veto): VetoView => ({ ...veto, since: instantOf(at) })

/** Shows the result of a cleanup. */
export const cleanupView = ({ correlationId, now, released, was }: CleanupView): CleanupView => ({
  correlationId,
  released,
  was,
  now
})
