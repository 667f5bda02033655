/**
 * People's decisions about a deployment: vetoed versions, locked environments, revoked leases. All of them are in the
 * log, with actor and reason.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as EventId from "../../domain/EventId.ts"
import { type Deployment, lockOn } from "../../domain/Environment.ts"
import type { EventOf } from "../../domain/Event.ts"
import type { DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { type Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { currentLease, uniqueOwner } from "../lease/index.ts"
import { ExecutionLog } from "../log/index.ts"
import { reject, type Rejected } from "../../api/Rejected.ts"

/** A decision on a deployment, in its own stream. */
export type PolicyDecision = EventOf<
  "VersionVetoed" | "VetoLifted" | "EnvironmentLocked" | "EnvironmentUnlocked" | "LeaseRevoked"
>

/**
 * Records a decision, and returns the resulting deployment.
 *
 * *Details*: the holder of a lock may lock again, with another reason or time; others only with `force` in the event.
 *
 * *Errors*: `Refused`: `not_found` for a deployment that is not there; `conflict` where there is nothing to lift
 * (`not_vetoed`) or to unlock (`not_locked`), and if another person holds the lock (`already_locked`).
 */
export const recordDecision = Effect.fnUntraced(function* (
  id: DeploymentId,
  decision: PolicyDecision
): Effect.fn.Return<Deployment, Rejected | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const unknown = reject("unknown_deployment", { deployment: id }, { remedies: [{ _tag: "list" }] })
  if ((yield* store.deployment(id)) === undefined) return yield* unknown
  const at = yield* Clock.currentTimeMillis
  const unique = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
  yield* ExecutionLog.write(id, [{ id: EventId.decision(decision._tag, at, unique), at, event: decision }]).pipe(
    Effect.catchTags({
      LeaseLost: Effect.die,
      IllegalTransition: () =>
        decision._tag === "EnvironmentLocked"
          ? alreadyLocked(id, decision.environment)
          : Effect.fail(nothingToUndo(id, decision))
    })
  )
  return (yield* store.deployment(id)) ?? (yield* unknown)
})

const alreadyLocked = Effect.fnUntraced(function* (
  id: DeploymentId,
  environment: EnvironmentName
): Effect.fn.Return<never, Rejected | StoreError, DeploymentStore> {
  const deployment = yield* Effect.flatMap(DeploymentStore, (store) => store.deployment(id))
  const lock = lockOn(deployment, environment, yield* Clock.currentTimeMillis)
  const place = { deployment: id, environment }
  return yield* lock === undefined
    ? reject("already_locked", place)
    : reject("already_locked", { ...place, by: lock.by }, { detail: lock.reason, remedies: [{ _tag: "force" }] })
})

const nothingToUndo = (id: DeploymentId, decision: PolicyDecision): Rejected => {
  const { environment } = decision
  if (environment === null || decision._tag === "VetoLifted") {
    const version = "version" in decision ? decision.version : ""
    return reject("not_vetoed", { version, environment: environment ?? undefined })
  }
  const place = { deployment: id, environment }
  return reject("not_locked", place, { remedies: [{ _tag: "show_lock", ...place }] })
}

/**
 * Revokes the lease of its holder and releases it. The holder notices at its next mutation or renewal, at the latest
 * after a third of its time to live, and stops. Returns the revoked lease, undefined if there was none.
 */
export const revokeLease = Effect.fnUntraced(function* (
  id: DeploymentId,
  options: { readonly environment: EnvironmentName; readonly reason: string; readonly by: string }
): Effect.fn.Return<Lease | undefined, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const leases = yield* LeaseStore
  const lease = yield* currentLease(id, options.environment)
  if (lease === undefined) return undefined
  // Written first: a forced action is on record even if it was not finished.
  yield* recordDecision(id, {
    _tag: "LeaseRevoked",
    environment: options.environment,
    holder: lease.holder,
    fence: lease.fence,
    reason: options.reason,
    by: options.by
  })
  const owner = yield* uniqueOwner
  const taken = yield* Effect.result(
    leases.acquire({
      key: lease.key,
      holder: owner,
      owner,
      ttl: Duration.seconds(1),
      evict: lease.fence,
      purpose: { kind: "revoke", by: options.by }
    })
  )
  if (taken._tag === "Failure") {
    if (taken.failure._tag === "StoreError") return yield* taken.failure
    return yield* reject("lease_changed_hands", { before: lease.holder, now: taken.failure.lease.holder })
  }
  yield* leases.release(taken.success)
  return lease
})
