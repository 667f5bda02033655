/**
 * Waits in the queue for a lease, and acquires it on admission.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as EventId from "../../domain/EventId.ts"
import type { EventOf } from "../../domain/Event.ts"
import { type ExecutionState, givesWay, isFinished, isQueued } from "../../domain/Execution.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import * as Queue from "../../domain/Queue.ts"
import type { Blocker } from "../../api/CanDeployAnswer.ts"
import { causeInfo, type ErrorInfo, errorInfo } from "../../domain/errors/index.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { type Lease, type LeaseHeld, type LeaseLost, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { acquireEnvironmentLease, type AcquiredLease } from "../lease/index.ts"
import { queuePosition } from "../queue/index.ts"
import { type DueEvent, ExecutionLog, requestOf, changeFeed } from "../log/index.ts"
import { isFinal, stacksMissing, policyBlockers } from "./PolicyBlockers.ts"
import { holderOf } from "../../spi/LeaseKey.ts"
import { nothingToRollback } from "./NothingToRollback.ts"
import { overridePasses } from "./Override.ts"
import { isEmpty, leaseAcquired, startUnderLease } from "./StartingPoint.ts"

/** The participants of an admission. */
export interface AdmissionClaim {
  readonly id: CorrelationId
  /** The current claim on the execution: its owner is the one that waits. */
  readonly claim: () => Lease
  readonly owner: string
  readonly ttl: Duration.Duration
}

/** The lease under which an execution is admitted. */
export type AdmittedLease = AcquiredLease

type Services = DeploymentStore | LeaseStore

/**
 * Waits for the admission of an execution and acquires the lease for it; undefined if the execution has ended
 * meanwhile: it was withdrawn or replaced.
 *
 * *Details*: the order is the order of requests, rollbacks first; it is in the log, so it survives every waiting
 * process. The starting state is read again under the lease.
 *
 * *Errors*: `LeaseLost` if the claim was lost; the queue position is kept. An unavailable store is retried.
 */
export const waitForAdmission = Effect.fnUntraced(function* (
  taking: AdmissionClaim
): Effect.fn.Return<AdmittedLease | undefined, LeaseLost | StoreError, Services | Scope.Scope> {
  const store = yield* DeploymentStore
  const request = yield* whileAway(Effect.tap(requestOf(taking.id), displace(taking.id)))
  let gaveWay = false
  let lookedAt = Number.NEGATIVE_INFINITY
  let waitForNews: Effect.Success<typeof changeFeed> | undefined
  const look = Effect.gen(function* () {
    const state = yield* store.execution(taking.id)
    if (state === undefined || request === undefined || isFinished(state)) return undefined
    const now = yield* Clock.currentTimeMillis
    // It may have been admitted without an answer that said so.
    const { isNext, places } = isQueued(state)
      ? yield* queuePosition(state, overridePasses(state))
      : { isNext: true, places: 0 }
    if (!isNext && now - lookedAt < sometimes) return { isNext, places }
    lookedAt = now
    return { isNext, places, lock: yield* attempt(state, request, taking, { isNext, gaveWay }) }
  })
  while (true) {
    const seen = yield* whileAway(look)
    if (seen === undefined) return undefined
    const { isNext, lock, places } = seen
    if (lock?._tag === "Taken") return lock
    gaveWay ||= lock?.gaveWay === true
    if (isNext && lock !== undefined) {
      waitForNews ??= yield* changeFeed
      yield* waitForNews(lock.until)
      continue
    }
    // However many wait, those far back in the queue leave the machine to those near its front: they listen to nothing.
    yield* Effect.sleep(Math.min(places * perPlace, sometimes))
  }
}, Effect.scoped)

/** A waiting process keeps waiting while the store is unavailable; the claim limits how long. */
const whileAway = <A, R>(
  effect: Effect.Effect<A, LeaseLost | StoreError, R>
): Effect.Effect<A, LeaseLost | StoreError, R> =>
  Effect.retry(effect, {
    schedule: Schedule.spaced("500 millis"),
    while: (error) => error._tag === "StoreError" && error.isRetryable
  })

/** The minimum duration of an earlier place, and the interval after which everything is checked anyway, in ms. */
const perPlace = 20
const sometimes = 1_000

type Attempt =
  | ({ readonly _tag: "Taken" } & AdmittedLease)
  | { readonly _tag: "Not"; readonly until: number; readonly gaveWay?: boolean }

const attempt = Effect.fnUntraced(function* (
  state: ExecutionState,
  request: EventOf<"ExecutionRequested">,
  taking: AdmissionClaim,
  { gaveWay, isNext }: { readonly gaveWay: boolean; readonly isNext: boolean }
): Effect.fn.Return<Attempt, LeaseLost | StoreError, Services> {
  const leases = yield* LeaseStore
  const blockers = isQueued(state) ? yield* policyBlockers(request) : []
  const final = blockers.find(isFinal) ?? (isNext ? yield* missing(request, blockers) : undefined)
  if (final !== undefined) {
    yield* withdraw(state.correlationId, final.info)
  }
  if (blockers.length > 0) {
    return {
      _tag: "Not",
      until: Math.min(...blockers.map(({ clearsAt }) => clearsAt?.low ?? Number.POSITIVE_INFINITY))
    }
  }
  if (!isNext) return { _tag: "Not", until: Number.POSITIVE_INFINITY }
  const { owner, ttl } = taking
  // The command of a successor may already run under the lease, if this process was stopped for a while.
  const taken = yield* Effect.result(acquireEnvironmentLease(state, { owner, ttl, sameHolder: state.kind !== "run" }))
  if (taken._tag === "Failure") {
    if (taken.failure._tag === "StoreError") return yield* taken.failure
    const { expiresAt } = taken.failure.lease
    const holder = holderOf(taken.failure.lease)
    return { _tag: "Not", until: expiresAt, gaveWay: holder !== undefined && (yield* askToGiveWay(holder, state)) }
  }
  const lock: AdmittedLease = taken.success
  const began = yield* begin(state, request, taking, lock, gaveWay).pipe(
    Effect.onError(() => Effect.ignore(leases.release(lock.lease))),
    Effect.catchTag("LeaseHeld", ({ lease }) => Effect.succeed<Attempt>({ _tag: "Not", until: lease.expiresAt }))
  )
  if (began._tag === "Not") yield* Effect.ignore(leases.release(lock.lease))
  return began
})

/** A required stack that no earlier request deploys any more: the one that could comes later, and waits for it. */
const missing = Effect.fnUntraced(function* (
  request: EventOf<"ExecutionRequested">,
  blockers: ReadonlyArray<Blocker>
): Effect.fn.Return<Blocker | undefined, StoreError, DeploymentStore> {
  if (!blockers.some(({ kind }) => kind === "dependency")) return undefined
  const store = yield* DeploymentStore
  const environment = yield* store.environment(request.deploymentId, request.environment)
  return environment?.current == null ? stacksMissing(environment, request)[0] : undefined
})

/** The lease is for changing things. A holder that waits for a person is asked to yield, once. */
const askToGiveWay = Effect.fnUntraced(function* (
  holder: CorrelationId,
  { by, correlationId, kind }: ExecutionState
): Effect.fn.Return<boolean, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const state = yield* store.execution(holder)
  if (state === undefined || !givesWay(state, kind)) return false
  const at = yield* Clock.currentTimeMillis
  const cause = causeInfo("gave_way", { execution: correlationId, kind, by })
  yield* ExecutionLog.write(holder, [
    { id: EventId.yielded, at, event: { _tag: "CommandIssued", command: "abort", by: "signalbox", cause } }
  ]).pipe(Effect.catchTag(["IllegalTransition", "LeaseLost"], Effect.die))
  return true
})

/** Under the lease: closes unfinished executions, and records what the execution starts from. */
const begin = Effect.fnUntraced(function* (
  state: ExecutionState,
  request: EventOf<"ExecutionRequested">,
  { claim, id }: AdmissionClaim,
  taken: AdmittedLease,
  gaveWay: boolean
): Effect.fn.Return<Attempt, LeaseHeld | LeaseLost | StoreError, Services> {
  const store = yield* DeploymentStore
  const { lease: lock } = taken
  const place = [state.deploymentId, state.environment] as const
  const found = yield* store.environment(...place)
  const current = found?.current ?? null
  // It was admitted before, and the process that acquired the lease is gone.
  if (current === id) return { _tag: "Taken", ...taken }
  // Before the lease was acquired, requests that go first may have come, and a person may have decided against it.
  if (!(yield* queuePosition(state, overridePasses(state))).isNext || (yield* policyBlockers(request)).length > 0) {
    return { _tag: "Not", until: yield* Clock.currentTimeMillis }
  }
  const asked = { spec: request.spec, only: request.only, to: request.to }
  const { environment, from, supersedes } = yield* startUnderLease(state, asked, found, lock)
  const at = yield* Clock.currentTimeMillis
  const events: ReadonlyArray<DueEvent> = [
    { id: EventId.admitted, at, event: { _tag: "ExecutionAdmitted", ...from, ...supersedes } },
    leaseAcquired(lock, at),
    ...(isEmpty(state.kind, from)
      ? gaveWay
        ? undone(at)
        : [cancelled(at, yield* nothingToRollback(state, environment))]
      : [])
  ]
  // Undefined if it was withdrawn at this very moment; the next round reads its state.
  const decide: ExecutionLog.Decide = ({ execution }) =>
    Effect.succeed(execution !== undefined && isQueued(execution) ? events : [])
  const written = yield* ExecutionLog.write(id, decide, [claim(), lock]).pipe(
    Effect.catchTag("IllegalTransition", Effect.die)
  )
  return written.length > 0 && !isEmpty(state.kind, from) ? { _tag: "Taken", ...taken } : { _tag: "Not", until: at }
})

/** An execution that yielded to a rollback has rolled back itself. */
const undone = (at: number): ReadonlyArray<DueEvent> => [
  { id: EventId.execution("started"), at, event: { _tag: "ExecutionTransitioned", on: "started" } },
  {
    id: EventId.execution("completed"),
    at,
    event: { _tag: "ExecutionTransitioned", on: "completed", cause: causeInfo("went_back_already", {}) }
  }
]

const cancelled = (at: number, error: ErrorInfo): DueEvent => ({
  id: EventId.closingExecution,
  at,
  event: { _tag: "ExecutionTransitioned", on: "cancelled", error }
})

/**
 * Withdraws an execution that is not admitted; returns whether it was waiting.
 */
export const withdraw = Effect.fnUntraced(function* (
  id: CorrelationId,
  error: ErrorInfo
): Effect.fn.Return<boolean, StoreError, DeploymentStore> {
  const decide: ExecutionLog.Decide = ({ execution }) =>
    execution === undefined || !isQueued(execution)
      ? Effect.succeed([])
      : Effect.map(Clock.currentTimeMillis, (at) => [cancelled(at, error)])
  const written = yield* ExecutionLog.write(id, decide).pipe(
    Effect.catchTag(["IllegalTransition", "LeaseLost"], Effect.die)
  )
  return written.length > 0
})

/**
 * Withdraws an execution that is not admitted within `patience`.
 *
 * *Details*: retried every second while the store is unavailable, so that a waiting caller cannot wait forever.
 */
export const withdrawAfter = (
  id: CorrelationId,
  patience: Duration.Input
): Effect.Effect<void, never, DeploymentStore> =>
  Effect.gen(function* () {
    const state = yield* Effect.flatMap(DeploymentStore, (store) => store.execution(id))
    const explain =
      state === undefined
        ? []
        : [{ _tag: "explain", deployment: state.deploymentId, environment: state.environment } as const]
    yield* withdraw(id, errorInfo("queue_timeout", { afterMs: Duration.toMillis(patience) }, { remedies: explain }))
  }).pipe(Effect.retry(Schedule.spaced("1 second")), Effect.delay(patience), Effect.orDie)

/**
 * Withdraws the requests that a new one replaces: with `latest_wins` all that wait before it, except rollbacks.
 *
 * *Details*: the submitter does this, and the waiting process again: the submitter may have died before it was done.
 */
export const displace = Effect.fnUntraced(function* (
  id: CorrelationId
): Effect.fn.Return<void, StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const state = yield* store.execution(id)
  if (state?.queue !== "latest_wins") return
  const { queue = [] } = (yield* store.environment(state.deploymentId, state.environment)) ?? {}
  // Later requests are unaffected if this one no longer waits.
  if (!queue.some(({ correlationId }) => correlationId === id)) return
  for (const { correlationId } of Queue.displacedBy(queue, { correlationId: id, policy: state.queue })) {
    yield* withdraw(
      correlationId,
      errorInfo("overtaken", { execution: id, by: state.by }, { remedies: [{ _tag: "attach", execution: id }] })
    )
  }
})
