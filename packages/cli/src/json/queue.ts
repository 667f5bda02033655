/** The queue and its lease as JSON shows them. The names are API. */
import type { QueueStatus } from "@signalbox/core/engine"
import type { Environment, Execution } from "@signalbox/core/spi"
import { estimateView } from "./estimate.ts"
import { iso } from "./execution.ts"

/**
 * The position of a request; `ahead` are the correlation IDs of those before it, starting with the holder of the lease.
 */
export const placeView = (place: QueueStatus.QueuePlace) => ({
  position: place.position,
  ahead: place.ahead.map(({ correlationId }) => correlationId)
})

export const registeredView = (state: Execution.ExecutionState, place: QueueStatus.QueuePlace, duplicate: boolean) => ({
  correlationId: state.correlationId,
  deploymentId: state.deploymentId,
  environment: state.environment,
  kind: state.kind,
  status: state.status,
  ...placeView(place),
  estimate: estimateView(place.left),
  duplicate
})

/** A waiting request; `position` is null if no process waits with it. */
const waitingView = ({ position, ticket }: QueueStatus.QueueEntry) => ({
  position,
  correlationId: ticket.correlationId,
  kind: ticket.kind,
  by: ticket.by,
  version: ticket.version ?? null,
  policy: ticket.policy,
  commit: ticket.origin?.commit ?? null,
  workflowRun: ticket.origin?.workflowRun ?? null,
  since: iso(ticket.at)
})

export const holdView = ({ at, by, environment, reason, until }: Environment.Hold) => ({
  environment,
  by,
  reason,
  since: iso(at),
  until: until === undefined ? null : iso(until)
})

/** The lease; `dead` says that the process that acquired it is gone. */
export const lockLeaseView = ({ isDead, lease }: Pick<QueueStatus.QueueStatus, "isDead" | "lease">) =>
  lease === undefined
    ? null
    : {
        holder: lease.holder,
        owner: lease.owner,
        reason: lease.reason ?? null,
        since: iso(lease.acquiredAt),
        expiresAt: iso(lease.expiresAt),
        dead: isDead
      }

export const lockView = (
  where: { readonly deploymentId: string; readonly environment: string },
  lineup: QueueStatus.QueueStatus
) => ({
  deploymentId: where.deploymentId,
  environment: where.environment,
  lease: lockLeaseView(lineup),
  hold: lineup.hold === undefined ? null : holdView(lineup.hold),
  queue: lineup.queue.map(waitingView)
})
