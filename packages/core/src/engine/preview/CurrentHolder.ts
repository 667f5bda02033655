/**
 * The blockers at the lease: its holder, and the queue.
 */
import type { Blocker } from "../../api/CanDeployAnswer.ts"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { errorInfo, type Remedy } from "../../domain/errors/index.ts"
import type { Origin } from "../../domain/Event.ts"
import { mayHaveCommand } from "../../domain/Execution.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import type { Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { requestsAhead } from "../queue/index.ts"
import { type AdmissionRequest, unknownBlocker, overridePasses } from "../admission/index.ts"
import { clearsAtTime, expectedEnd } from "../estimation/index.ts"
import { currentLease, RunnerIdentity } from "../lease/index.ts"
import { holderOf } from "../../spi/LeaseKey.ts"

/** For this many in the queue, the end is estimated: each estimate includes all those ahead. */
const foretold = 5

/**
 * The holder of the lease, and the earlier requests in the queue.
 */
export const holderAndQueueBlockers = Effect.fnUntraced(function* (
  asked: AdmissionRequest
): Effect.fn.Return<ReadonlyArray<Blocker>, StoreError, DeploymentStore | LeaseStore> {
  const lease = yield* currentLease(asked.deploymentId, asked.environment)
  // It is admitted: the waiting ones wait for it.
  if (lease?.holder === asked.correlationId) return []
  const held = lease === undefined ? [] : [yield* holder(asked, lease)]
  // While a person is waited for, the next admission cannot be predicted.
  const open = held.every(({ clearsAt }) => clearsAt !== null)
  const before = yield* requestsAhead(asked, overridePasses(asked))
  const waiting = yield* Effect.forEach(before, (ticket, index) =>
    Effect.map(
      open && index < foretold ? expectedEnd(ticket.correlationId) : Effect.succeed(null),
      (clearsAt): Blocker => ({
        ...unknownBlocker,
        kind: "queue",
        info: errorInfo(
          "blocked_by_queue",
          {
            deployment: asked.deploymentId,
            environment: asked.environment,
            execution: ticket.correlationId,
            kind: ticket.kind,
            by: ticket.by
          },
          { remedies: [{ _tag: "cleanup", execution: ticket.correlationId }] }
        ),
        who: ticket.correlationId,
        since: ticket.at,
        clearsAt,
        consoleUrl: pageOf(ticket.origin)
      })
    )
  )
  return [...held, ...waiting]
})

/** The page of the workflow run, if it is known by its address. */
const pageOf = (origin: Origin | undefined): string | null =>
  origin?.workflowRun !== undefined && /^https?:\/\//.test(origin.workflowRun) ? origin.workflowRun : null

const holder = Effect.fnUntraced(function* (
  asked: AdmissionRequest,
  lease: Lease
): Effect.fn.Return<Blocker, StoreError, DeploymentStore | LeaseStore> {
  const { isDead } = yield* RunnerIdentity
  const store = yield* DeploymentStore
  const id = holderOf(lease)
  const held = id === undefined ? undefined : yield* store.execution(id)
  const now = yield* Clock.currentTimeMillis
  // It is not being renewed: it is kept for the process that carries on, or was left behind.
  const alone = isDead(lease.owner)
  const place = { deployment: asked.deploymentId, environment: asked.environment }
  const first: ReadonlyArray<Remedy> =
    id === undefined || (alone && held !== undefined && mayHaveCommand(held))
      ? []
      : [{ _tag: alone ? "cleanup" : "abort", execution: id }]
  return {
    ...unknownBlocker,
    kind: "lease",
    info: errorInfo(
      "blocked_by_lease",
      {
        ...place,
        execution: lease.holder,
        kind: held?.kind,
        by: held?.by,
        isDead: alone,
        leftMs: Math.ceil((lease.expiresAt - now) / 1_000) * 1_000
      },
      { remedies: [...first, { _tag: "revoke_lease", ...place }] }
    ),
    who: lease.holder,
    since: lease.acquiredAt,
    consoleUrl: pageOf(held?.origin),
    clearsAt: alone || id === undefined ? clearsAtTime(lease.expiresAt) : yield* expectedEnd(id)
  }
})
