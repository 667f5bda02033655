/**
 * What people decide about a deployment: versions that must not be deployed, environments that nobody may touch for a while,
 * locks that are taken from whoever holds them. All of it is in the log, with who and why.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as EventId from "../../domain/EventId.ts"
import { type Deployment, heldBy } from "../../domain/Environment.ts"
import type { EventOf } from "../../domain/Event.ts"
import type { DeploymentId, EnvironmentName } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { type Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { currentLease, uniqueOwner } from "../lease/index.ts"
import { ExecutionLog } from "../log/index.ts"
import { Rejected } from "../../api/Rejected.ts"

/** A decision on a deployment, in its own stream. */
export type PolicyDecision = EventOf<
  "VersionVetoed" | "VetoLifted" | "EnvironmentLocked" | "EnvironmentUnlocked" | "LeaseRevoked"
>

/**
 * Records a decision, and returns the deployment as it is then.
 *
 * *Details*: whoever holds a lock may hold it again, for another reason or time; anybody else only where the event says
 * `force`.
 *
 * *Errors*: `Refused`: `not_found` for a deployment that is not there; `conflict` where there is nothing to lift
 * (`not_vetoed`) or to give back (`not_held`), and where somebody else holds what is to be held (`held_already`).
 */
export const recordDecision = Effect.fnUntraced(function* (
  id: DeploymentId,
  decision: PolicyDecision
): Effect.fn.Return<Deployment, Rejected | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const unknown = new Rejected({
    kind: "not_found",
    code: "unknown_deployment",
    message: `there is no deployment ${id}`,
    hint: "See those that there are: signalbox list"
  })
  if ((yield* store.deployment(id)) === undefined) return yield* unknown
  const at = yield* Clock.currentTimeMillis
  const unique = yield* Random.nextIntBetween(0, Number.MAX_SAFE_INTEGER)
  yield* ExecutionLog.write(id, [{ id: EventId.decision(decision._tag, at, unique), at, event: decision }]).pipe(
    Effect.catchTags({
      LeaseLost: Effect.die,
      IllegalTransition: () =>
        decision._tag === "EnvironmentLocked"
          ? heldAlready(id, decision.environment)
          : Effect.fail(nothingToUndo(id, decision))
    })
  )
  return (yield* store.deployment(id)) ?? (yield* unknown)
})

const heldAlready = Effect.fnUntraced(function* (
  id: DeploymentId,
  environment: EnvironmentName
): Effect.fn.Return<never, Rejected | StoreError, DeploymentStore> {
  const deployment = yield* Effect.flatMap(DeploymentStore, (store) => store.deployment(id))
  const hold = heldBy(deployment, environment, yield* Clock.currentTimeMillis)
  return yield* new Rejected({
    kind: "conflict",
    code: "held_already",
    message:
      hold === undefined
        ? `${id} in ${environment} was held by somebody else until this moment`
        : `${id} in ${environment} is held by ${hold.by} already: ${hold.reason}`,
    hint: hold === undefined ? "Ask again." : "Ask them; to take it over: --force"
  })
})

const nothingToUndo = (id: DeploymentId, decision: PolicyDecision): Rejected =>
  decision._tag === "VetoLifted"
    ? new Rejected({
        kind: "conflict",
        code: "not_vetoed",
        message: `there is no veto on ${decision.version} ${decision.environment === null ? "in every environment" : `in ${decision.environment}`}`,
        hint: "Nothing has to be lifted."
      })
    : new Rejected({
        kind: "conflict",
        code: "not_held",
        message: `nobody holds ${id} in ${decision.environment} by hand`,
        hint: `See: signalbox lock show ${id} --environment ${decision.environment}`
      })

/**
 * Takes the lock from whoever holds it and gives it back. The holder notices at its next mutation or renewal, at the latest
 * after a third of its time to live, and stops. Returns the lease that was broken, nothing where nobody held it.
 */
export const revokeLease = Effect.fnUntraced(function* (
  id: DeploymentId,
  options: { readonly environment: EnvironmentName; readonly reason: string; readonly by: string }
): Effect.fn.Return<Lease | undefined, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const leases = yield* LeaseStore
  const lease = yield* currentLease(id, options.environment)
  if (lease === undefined) return undefined
  // Written first: what was done by force is known even if it was not finished.
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
      reason: `broken by ${options.by}`
    })
  )
  if (taken._tag === "Failure") {
    if (taken.failure._tag === "StoreError") return yield* taken.failure
    return yield* new Rejected({
      kind: "conflict",
      code: "lock_changed_hands",
      message: `the lock went from ${lease.holder} to ${taken.failure.lease.holder} meanwhile`,
      hint: "Look again, and decide again."
    })
  }
  yield* leases.release(taken.success)
  return lease
})
