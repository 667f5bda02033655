/** The answers of the engine as the Promise facade gives them: with dates, and null where there is nothing. */
import { Estimate } from "@signalbox/core/analysis"
import type { Blocker, CanDeploy, QueueStatus } from "@signalbox/core/engine"
import type { Environment, Lease, Timestamp } from "@signalbox/core/spi"
import { describe, describeWaysOut } from "@signalbox/core/text"
import type {
  BlockerInfo,
  CanDeployAnswer,
  HoldInfo,
  LeaseInfo,
  LockInfo,
  QueuePlace,
  RemainingTime,
  VetoInfo
} from "./Coordination.ts"

const date = (at: Timestamp): Date => new Date(at)

export const blockerInfo = ({ clearsAt, info, since, ...blocker }: Blocker): BlockerInfo => ({
  ...blocker,
  code: info.code,
  message: describe(info).message,
  params: info.params,
  override: describeWaysOut(info.remedies) ?? null,
  remedies: info.remedies ?? [],
  since: since === null ? null : date(since),
  clearsAt:
    clearsAt === null
      ? null
      : { ...clearsAt, low: date(clearsAt.low), point: date(clearsAt.point), high: date(clearsAt.high) }
})

export const answerOf = ({
  blockers,
  degraded,
  nextFreeze,
  queue,
  ...answer
}: CanDeploy.CanDeployAnswer): CanDeployAnswer => ({
  canDeploy: answer.canDeploy,
  degraded: degraded !== null,
  degradedReason: degraded,
  blockers: blockers.map(blockerInfo),
  queue: { length: queue },
  nextFreeze:
    nextFreeze === null
      ? null
      : { name: nextFreeze.name, since: date(nextFreeze.since), until: date(nextFreeze.until) },
  checkedAt: date(answer.checkedAt)
})

export const remainingOf = (estimate: Estimate.Estimate | undefined): RemainingTime | null =>
  estimate === undefined ? null : Estimate.view(estimate)

export const queuePlace = ({ ahead, left, position }: QueueStatus.QueuePlace): QueuePlace => ({
  position,
  ahead: ahead.map(({ correlationId }) => correlationId),
  remaining: remainingOf(left)
})

export const vetoInfo = ({ at, by, environment, reason, version }: Environment.Veto): VetoInfo => ({
  version,
  environment,
  by,
  reason,
  since: date(at)
})

export const leaseInfo = (lease: Lease | undefined, dead: boolean): LeaseInfo | null =>
  lease === undefined
    ? null
    : {
        holder: lease.holder,
        owner: lease.owner,
        reason: lease.reason ?? null,
        since: date(lease.acquiredAt),
        expiresAt: date(lease.expiresAt),
        dead
      }

const holdInfo = ({ at, by, environment, reason, until }: Environment.Hold): HoldInfo => ({
  environment,
  by,
  reason,
  since: date(at),
  until: until === undefined ? null : date(until)
})

export const lockInfo = (
  { deploymentId, environment }: { readonly deploymentId: string; readonly environment: string },
  { hold, isDead, lease, queue }: QueueStatus.QueueStatus
): LockInfo => ({
  deploymentId,
  environment,
  lease: leaseInfo(lease, isDead),
  hold: hold === undefined ? null : holdInfo(hold),
  queue: queue.map(({ position, ticket }) => ({
    correlationId: ticket.correlationId,
    position,
    kind: ticket.kind,
    by: ticket.by,
    version: ticket.version ?? null,
    policy: ticket.policy,
    commit: ticket.origin?.commit ?? null,
    workflowRun: ticket.origin?.workflowRun ?? null,
    since: date(ticket.at)
  }))
})
