/**
 * Accepts a request: joined, rejected, or recorded under the lease.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { EnvironmentState } from "../../domain/Environment.ts"
import * as EventId from "../../domain/EventId.ts"
import type { EventOf, QueuePolicy } from "../../domain/Event.ts"
import type { ExecutionState } from "../../domain/Execution.ts"
import type { Remedy } from "../../domain/errors/index.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import type * as Queue from "../../domain/Queue.ts"
import type { ExecutionSpec } from "../../domain/Spec.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { type Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { Providers } from "../../spi/Providers.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { Attribute, SpanName, traced } from "../../telemetry/index.ts"
import { requestsAhead } from "../queue/index.ts"
import { isFinal, policyBlockers } from "./PolicyBlockers.ts"
import { acquireEnvironmentLease, reserveClaim, isLeaseHeld, currentLease, uniqueOwner } from "../lease/index.ts"
import { holderOf } from "../../spi/LeaseKey.ts"
import { checkArtifacts, resolveFor } from "../../config/Configuration.ts"
import { joinExisting } from "./DuplicateRequest.ts"
import { nothingToRollback } from "./NothingToRollback.ts"
import { overridePasses } from "./Override.ts"
import { preflight } from "./Preflight.ts"
import * as RecordedManifest from "./RecordedManifest.ts"
import { reject, Rejected } from "../../api/Rejected.ts"
import type { Blocker } from "../../api/CanDeployAnswer.ts"
import type { Request } from "../../api/Request.ts"
import type { Submission } from "../../api/Submission.ts"
import { type DueEvent, ExecutionLog } from "../log/index.ts"
import { isEmpty, leaseAcquired, type StartingPoint, startingPoint, startUnderLease } from "./StartingPoint.ts"
import { RollbackTarget } from "../restoration/index.ts"
import { forgottenAfter, sweep } from "./Sweep.ts"
import { tracedMark } from "../trace/index.ts"
import { displace } from "./Admission.ts"

type Taken = Omit<Submission, "dropped">

/**
 * Records a request, or joins the existing execution with its correlation id.
 *
 * *Details*: with the policy `reject`, the lease of the environment is acquired first: one of two simultaneous
 * requests is recorded, and the other rejected with the holder's name. An unfinished execution of this environment
 * whose lease is over is closed and named in `supersedes`. With the other policies, the request is recorded at once,
 * and admitted when it is run. Mistakes that its providers know are rejected before (`preflight`).
 */
export const submit = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<Submission, Rejected | StoreError, DeploymentStore | LeaseStore | Providers> {
  const store = yield* DeploymentStore
  const before = yield* store.environment(request.deploymentId, request.environment)
  const dropped =
    request.kind === "deploy" && request.stacks === undefined ? RecordedManifest.dropped(request.manifest, before) : []
  return { ...(yield* take(request, before)), dropped }
})

/**
 * Rejects what `submit` would reject because its providers know that it cannot succeed, or because there is nothing to
 * roll back; writes nothing.
 */
export const check = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<void, Rejected | StoreError, DeploymentStore | Providers> {
  const store = yield* DeploymentStore
  const before = yield* store.environment(request.deploymentId, request.environment)
  const spec = yield* prepare(request, before)
  const target = yield* targetIn(request, before)
  yield* preflight(request, spec, target)
  const targets = yield* RollbackTarget.targetOf(request, toOf(request, target), before)
  yield* rejectEmpty(request, startingPoint(request.kind, spec, before, request.stacks, targets), before)
})

const take = Effect.fnUntraced(function* (
  request: Request,
  before: EnvironmentState | undefined
): Effect.fn.Return<Taken, Rejected | StoreError, DeploymentStore | LeaseStore | Providers> {
  const store = yield* DeploymentStore
  const existing = yield* store.execution(request.correlationId)
  if (existing !== undefined) return yield* Effect.tap(joinExisting(request, existing), displace(request.correlationId))

  const spec = yield* prepare(request, before)
  const target = yield* targetIn(request, before)
  const policy = request.queue ?? request.manifest.queue ?? (request.kind === "run" ? "fifo" : "reject")
  const blockers = yield* policyBlockers({ ...request, spec })
  // A queued request waits for these too, unless they are permanent.
  const blocker = policy === "reject" ? blockers[0] : blockers.find(isFinal)
  if (blocker !== undefined) return yield* refusedBecause(blocker, request)
  // Quick checks first: planning may take a while.
  if (policy === "reject") yield* free(request)
  if (request.later !== true) yield* preflight(request, spec, target)
  const asked: Asked = { request, spec, to: toOf(request, target) }
  const submission = policy === "reject" ? yield* immediately(asked) : yield* enqueue(asked, policy)
  // Expired history is deleted a little at a time; a failure to do so is no reason to reject a request.
  const now = yield* Clock.currentTimeMillis
  yield* Effect.ignore(store.prune(now - Duration.toMillis(request.manifest.retention)))
  yield* Effect.ignore(sweep(now - Duration.toMillis(forgottenAfter)))
  return submission
})

/** A request as it is recorded. */
interface Asked {
  readonly request: Request
  readonly spec: ExecutionSpec
  readonly to: NonNullable<EventOf<"ExecutionRequested">["to"]> | undefined
}

/** What a rollback names; undefined if it goes back one release. */
const targetIn = ({ kind, stacks, to, ...place }: Request, state: EnvironmentState | undefined) =>
  kind !== "rollback" || to === undefined ? Effect.undefined : RollbackTarget.find(place, to, state, stacks)

const toOf = ({ to }: Request, target: RollbackTarget.Found | undefined): Asked["to"] =>
  target === undefined || to === undefined
    ? undefined
    : { execution: target.restoration.execution.correlationId, named: to }

/** Rejects a request whose lease has another holder or a queue. */
const free = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<void, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const [next] = yield* requestsAhead(request, overridePasses(request))
  if (next !== undefined) return yield* behind(next, request)
  const lease = yield* currentLease(request.deploymentId, request.environment)
  if (lease === undefined || lease.holder === request.correlationId) return
  if (yield* isLeaseHeld(lease)) return yield* blockedBy(lease, request)
})

/** Acquires the lease, or rejects the request with the name of the holder or of the waiting request. */
const immediately = Effect.fnUntraced(function* (
  asked: Asked
): Effect.fn.Return<Taken, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const { request, spec } = asked
  const leases = yield* LeaseStore
  const [next] = yield* requestsAhead(request, overridePasses(request))
  if (next !== undefined) return yield* behind(next, request)
  const taken = yield* Effect.result(
    acquireEnvironmentLease(request, { owner: yield* uniqueOwner, ttl: spec.leaseTtl })
  )
  if (taken._tag === "Failure") {
    if (taken.failure._tag === "StoreError") return yield* taken.failure
    const { lease } = taken.failure
    if (lease.holder !== request.correlationId) return yield* blockedBy(lease, request)
    const state = yield* recordedBy(lease, request.correlationId, spec.leaseTtl)
    return yield* state === undefined ? immediately(asked) : joinExisting(request, state)
  }
  const { lease: lock } = taken.success
  // While this process stood still, another one may have recorded the same request, and lost its lease since.
  const known = yield* (yield* DeploymentStore).execution(request.correlationId)
  if (known !== undefined) {
    yield* Effect.ignore(leases.release(lock))
    return yield* joinExisting(request, known)
  }
  return yield* record(asked, lock).pipe(Effect.tapError(() => Effect.ignore(leases.release(lock))))
})

const explain = ({ deploymentId, environment }: Request): Remedy => ({
  _tag: "explain",
  deployment: deploymentId,
  environment
})

const refusedBecause = ({ clearsAt, info }: Blocker, request: Request): Rejected =>
  new Rejected({
    info: {
      ...info,
      ...(clearsAt === null ? {} : { params: { ...info.params, until: clearsAt.point } }),
      remedies: [...(info.remedies ?? []), explain(request)]
    }
  })

const behind = ({ by, correlationId, kind }: Queue.Ticket, request: Request): Effect.Effect<never, Rejected> =>
  Effect.fail(
    reject(
      "blocked_by_queue",
      { deployment: request.deploymentId, environment: request.environment, execution: correlationId, kind, by },
      { remedies: [{ _tag: "queue" }, explain(request)] }
    )
  )

const blockedBy = Effect.fnUntraced(function* (
  lease: Lease,
  request: Request
): Effect.fn.Return<never, Rejected | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const execution = holderOf(lease)
  const held = execution === undefined ? undefined : yield* store.execution(execution)
  return yield* reject(
    "blocked_by_lease",
    {
      deployment: request.deploymentId,
      environment: request.environment,
      execution: lease.holder,
      kind: held?.kind,
      by: held?.by
    },
    {
      lease,
      remedies: [
        { _tag: "queue" },
        explain(request),
        ...(execution === undefined
          ? []
          : [{ _tag: "attach", execution } as const, { _tag: "abort", execution } as const])
      ]
    }
  )
})

/**
 * What another process records that holds the lease for the same request at this very moment; undefined if it has died
 * before.
 */
const recordedBy = Effect.fnUntraced(function* (
  lease: Lease,
  id: CorrelationId,
  ttl: Duration.Duration
): Effect.fn.Return<ExecutionState | undefined, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const since = yield* Clock.currentTimeMillis
  while (true) {
    const state = yield* store.execution(id)
    if (state !== undefined || !(yield* isLeaseHeld(lease))) return state
    // It renews its lease, and records nothing.
    const waited = (yield* Clock.currentTimeMillis) - since
    if (waited > 2 * Duration.toMillis(ttl)) return yield* reject("being_recorded", { execution: id })
    yield* Effect.sleep("50 millis")
  }
})

const prepare = Effect.fnUntraced(function* (
  request: Request,
  before: EnvironmentState | undefined
): Effect.fn.Return<ExecutionSpec, Rejected | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const deployment = yield* store.deployment(request.deploymentId)
  if (deployment === undefined) {
    return yield* reject("unknown_deployment", { deployment: request.deploymentId }, { remedies: [{ _tag: "init" }] })
  }
  // A command changes the named stacks; its other effects concern the deployment as a whole.
  const stacks = request.stacks ?? (request.kind === "run" ? [] : undefined)
  const manifest = RecordedManifest.takesBack(request.kind)
    ? RecordedManifest.manifest(deployment, request.environment, before, request.manifest)
    : request.manifest
  yield* checkArtifacts(request, request.manifest)
  return yield* resolveFor({ ...request, ...(stacks === undefined ? {} : { stacks }) }, manifest)
})

const rejectEmpty = Effect.fnUntraced(function* (
  request: Request,
  from: StartingPoint,
  environment: EnvironmentState | undefined
): Effect.fn.Return<void, Rejected | StoreError, DeploymentStore> {
  if (!isEmpty(request.kind, from)) return
  return yield* new Rejected({ info: yield* nothingToRollback(request, environment) })
})

const requested = Effect.fnUntraced(function* (
  { request, to }: Asked,
  from: StartingPoint,
  more: { readonly supersedes?: CorrelationId; readonly queue?: QueuePolicy }
): Effect.fn.Return<EventOf<"ExecutionRequested">> {
  return {
    _tag: "ExecutionRequested",
    correlationId: request.correlationId,
    kind: request.kind,
    deploymentId: request.deploymentId,
    environment: request.environment,
    ...(request.version === undefined ? {} : { version: request.version }),
    ...(request.artifact === undefined ? {} : { artifact: request.artifact }),
    ...(request.artifacts === undefined ? {} : { artifacts: request.artifacts }),
    ...(request.strategy === undefined ? {} : { strategy: request.strategy }),
    ...(to === undefined ? {} : { to }),
    by: request.by,
    ...(request.reason === undefined ? {} : { reason: request.reason }),
    ...more,
    ...from,
    ...(request.stacks === undefined ? {} : { only: request.stacks }),
    ...(request.origin === undefined ? {} : { origin: request.origin }),
    ...(request.override === undefined ? {} : { override: request.override }),
    ...(request.command === undefined ? {} : { command: request.command }),
    ...(yield* tracedMark(request.correlationId))
  }
})

/** Records a queued request, and withdraws the requests that it replaces. */
const enqueue = Effect.fnUntraced(function* (
  asked: Asked,
  policy: QueuePolicy
): Effect.fn.Return<Taken, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const { request, spec, to } = asked
  const store = yield* DeploymentStore
  const { correlationId: id, deploymentId, environment } = request
  const was = yield* store.environment(deploymentId, environment)
  const targets = yield* RollbackTarget.targetOf(request, to, was)
  const { deploymentBefore, stacksBefore } = startingPoint(request.kind, spec, was, request.stacks, targets)
  // The stacks that roll back are known on admission; until then, all may.
  const event = yield* requested(asked, { deploymentBefore, stacksBefore, spec }, { queue: policy })
  yield* reserveClaim(id, spec.leaseTtl)
  const at = yield* Clock.currentTimeMillis
  const written = yield* ExecutionLog.write(id, unlessRecorded([{ id: EventId.requested, at, event }])).pipe(
    Effect.catchTag(["IllegalTransition", "LeaseLost"], Effect.die),
    submitted(request)
  )
  const execution = yield* recorded(request)
  if (written.length === 0) return yield* joinExisting(request, execution)
  yield* displace(id)
  return { execution, joined: false }
})

/** Undefined if another process recorded the same request first: it is joined then. */
const unlessRecorded =
  (events: ReadonlyArray<DueEvent>): ExecutionLog.Decide =>
  ({ seq }) =>
    Effect.succeed(seq === 0 ? events : [])

const submitted = (request: Request) =>
  traced(request.correlationId, () => ({
    name: SpanName.submit,
    root: true,
    attributes: { [Attribute.kind]: request.kind, [Attribute.environment]: request.environment }
  }))

const recorded = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<ExecutionState, Rejected | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  return (yield* store.execution(request.correlationId)) ?? (yield* outrun(request))
})

/** Records a request that holds the lease already. */
const record = Effect.fnUntraced(function* (
  asked: Asked,
  lock: Lease
): Effect.fn.Return<Taken, Rejected | StoreError, DeploymentStore | LeaseStore> {
  const { request, spec, to } = asked
  const store = yield* DeploymentStore
  // Before the lease was acquired, a person may have decided against it.
  const [blocker] = yield* policyBlockers({ ...request, spec })
  if (blocker !== undefined) return yield* refusedBecause(blocker, request)
  // Read under the lease: before it was acquired, another execution may have changed the state.
  const found = yield* store.environment(request.deploymentId, request.environment)
  // A request that has nothing to do closes no other.
  const targets = yield* RollbackTarget.targetOf(request, to, found)
  yield* rejectEmpty(request, startingPoint(request.kind, spec, found, request.stacks, targets), found)
  const { environment, from, supersedes } = yield* startUnderLease(
    request,
    { spec, only: request.stacks, to },
    found,
    lock
  ).pipe(
    Effect.catchTags({
      LeaseHeld: ({ lease }) => blockedBy({ ...lease, holder: found?.current ?? lease.holder }, request),
      LeaseLost: () => Effect.fail(outrun(request))
    })
  )
  yield* rejectEmpty(request, from, environment)
  const event = yield* requested(asked, from, supersedes)
  const at = yield* Clock.currentTimeMillis
  const events = [{ id: EventId.requested, at, event }, leaseAcquired(lock, at)]
  yield* ExecutionLog.write(request.correlationId, unlessRecorded(events), [lock]).pipe(
    Effect.catchTags({
      IllegalTransition: Effect.die,
      LeaseLost: () => Effect.fail(outrun(request))
    }),
    submitted(request)
  )
  return { execution: yield* recorded(request), joined: false }
})

const outrun = (request: Request) =>
  reject("not_recorded", { deployment: request.deploymentId, environment: request.environment })
