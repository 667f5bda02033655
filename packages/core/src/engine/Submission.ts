/**
 * Taking a request in: joined, refused, or recorded under the lease.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type { EnvironmentState } from "../domain/Environment.ts"
import type { EventOf, StackBefore } from "../domain/Event.ts"
import { type ExecutionState, isFinished } from "../domain/Execution.ts"
import type { CorrelationId, StackName } from "../domain/Ids.ts"
import type { ExecutionSpec, StackSpec } from "../domain/Spec.ts"
import { DeploymentStore } from "../spi/DeploymentStore.ts"
import { type Lease, type LeaseHeld, LeaseStore } from "../spi/LeaseStore.ts"
import type { StoreError } from "../spi/StoreError.ts"
import { Attribute, SpanName, traced } from "../telemetry/index.ts"
import { claim } from "./Claim.ts"
import { closing } from "./Closing.ts"
import { resolve } from "./Configuration.ts"
import { lockKey } from "./LockKey.ts"
import { Refused } from "./Refused.ts"
import { uniqueOwner } from "./RunnerIdentity.ts"
import type { Request } from "./Signalbox.ts"
import { tracedMark } from "./Trace.ts"

/** @since 0.1.0 */
export interface Submission {
  readonly execution: ExecutionState
  readonly joined: boolean
}

/**
 * Records a request, or joins the execution that has its correlation id already.
 *
 * *Details*: the lock of the environment is taken first, so that of two requests at the same instant one is recorded and the
 * other refused with the holder's name. An execution that was left unfinished in this environment, and whose lease is over,
 * is closed and named in `supersedes`.
 *
 * @since 0.1.0
 */
export const submit = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<Submission, Refused | StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  const existing = yield* store.execution(request.correlationId)
  if (existing !== undefined) return yield* join(request, existing)

  const prepared = yield* prepare(request)
  const key = lockKey(request.deploymentId, request.environment)
  const taken = yield* Effect.result(
    leases.acquire({
      key,
      holder: request.correlationId,
      owner: yield* uniqueOwner,
      ttl: prepared.spec.leaseTtl,
      reason: `${request.kind} by ${request.by}`
    })
  )
  if (taken._tag === "Failure") {
    if (taken.failure._tag === "StoreError") return yield* taken.failure
    const { lease } = taken.failure
    if (lease.holder !== request.correlationId) return yield* blockedBy(lease, request)
    return yield* Effect.flatMap(awaitExecution(request.correlationId, prepared.spec.leaseTtl), (state) =>
      join(request, state)
    )
  }
  const lock = taken.success
  const submission = yield* record(request, lock).pipe(Effect.tapError(() => Effect.ignore(leases.release(lock))))
  // History that nobody keeps any more goes a little at a time; failing to is no reason to refuse a request.
  const now = yield* Clock.currentTimeMillis
  yield* Effect.ignore(store.prune(now - Duration.toMillis(request.manifest.retention)))
  return submission
})

const same = (request: Request, state: ExecutionState): boolean =>
  request.kind === state.kind &&
  request.deploymentId === state.deploymentId &&
  request.environment === state.environment &&
  request.version === state.version &&
  request.artifact === state.artifact

const join = (request: Request, execution: ExecutionState): Effect.Effect<Submission, Refused> =>
  same(request, execution)
    ? Effect.succeed({ execution, joined: true })
    : Effect.fail(
        new Refused({
          kind: "conflict",
          code: "correlation_id_taken",
          message: `${request.correlationId} is already another execution: ${execution.kind} of ${execution.deploymentId} in ${execution.environment}`,
          hint: "Leave the correlation id out, or give a new one."
        })
      )

const blockedBy = (lease: Lease, request: Request): Effect.Effect<never, Refused> =>
  Effect.fail(
    new Refused({
      kind: "blocked",
      code: "environment_locked",
      message: `${request.deploymentId} in ${request.environment} is held by ${lease.holder} (${lease.reason ?? "unknown"})`,
      hint: `Follow it with: signalbox attach ${lease.holder}`,
      lease
    })
  )

/** The same request is being recorded by another process at this very moment. */
const awaitExecution = (id: CorrelationId, ttl: Duration.Duration) =>
  Effect.flatMap(DeploymentStore, (store) =>
    store.execution(id).pipe(
      Effect.flatMap((state) =>
        state === undefined
          ? Effect.fail(
              new Refused({
                kind: "blocked",
                code: "being_recorded",
                message: `${id} is being recorded by another process`,
                hint: "Try again in a moment."
              })
            )
          : Effect.succeed(state)
      ),
      Effect.retry({
        schedule: Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: ttl })),
        while: (error) => error._tag === "Refused"
      })
    )
  )

interface Prepared {
  readonly spec: ExecutionSpec
  readonly environment: EnvironmentState | undefined
  readonly stacksWere: ReadonlyArray<StackBefore>
}

const prepare = Effect.fnUntraced(function* (
  request: Request
): Effect.fn.Return<Prepared, Refused | StoreError, DeploymentStore> {
  const store = yield* DeploymentStore
  const deployment = yield* store.deployment(request.deploymentId)
  if (deployment === undefined) {
    return yield* new Refused({
      kind: "not_found",
      code: "unknown_deployment",
      message: `there is no deployment ${request.deploymentId}`,
      hint: "Make one with: signalbox init"
    })
  }
  const resolved = yield* resolve(request.manifest, request.environment, {
    ...(request.stacks === undefined ? {} : { stacks: request.stacks }),
    ...(request.strategy === undefined ? {} : { strategy: request.strategy })
  })
  const environment = yield* store.environment(request.deploymentId, request.environment)
  const before = (name: StackName): StackBefore => {
    const known = environment?.stacks.find((stack) => stack.name === name)
    return {
      name,
      status: known?.status ?? "not_deployed",
      release: known?.release ?? null,
      checkpoint: known?.checkpoint ?? null,
      outputs: known?.outputs ?? {}
    }
  }
  const stacks =
    request.kind === "rollback"
      ? resolved.stacks.filter((stack) => goesBack(stack, before(stack.name)))
      : resolved.stacks
  if (stacks.length === 0) {
    return yield* new Refused({
      kind: "conflict",
      code: "nothing_to_roll_back",
      message: `${request.deploymentId} in ${request.environment} has no earlier release to go back to`,
      hint: `See what was deployed: signalbox history ${request.deploymentId}`
    })
  }
  const names = new Set([...(environment?.stacks ?? []), ...stacks].map(({ name }) => name))
  return { spec: { ...resolved, stacks }, environment, stacksWere: [...names].map(before) }
})

/** What was destroyed is deployed again, not rolled back. */
const goesBack = (stack: StackSpec, { checkpoint, release, status }: StackBefore): boolean =>
  stack.irreversible === undefined &&
  (status === "deployed" || status === "failed") &&
  checkpoint !== null &&
  checkpoint.release !== null &&
  checkpoint.release.id !== release?.id

const record = Effect.fnUntraced(function* (
  request: Request,
  lock: Lease
): Effect.fn.Return<Submission, Refused | StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  // Read under the lock: until it was taken, another execution may have changed what is there.
  const found = yield* prepare(request)
  const supersedes = found.environment?.current ?? null
  const closed = supersedes !== null && (yield* close(supersedes, request, found.environment, lock))
  // The one that was in the way has changed what is there: read it again.
  const now = closed ? yield* prepare(request) : found
  const event: EventOf<"ExecutionRequested"> = {
    _tag: "ExecutionRequested",
    correlationId: request.correlationId,
    kind: request.kind,
    deploymentId: request.deploymentId,
    environment: request.environment,
    ...(request.version === undefined ? {} : { version: request.version }),
    ...(request.artifact === undefined ? {} : { artifact: request.artifact }),
    ...(request.strategy === undefined ? {} : { strategy: request.strategy }),
    by: request.by,
    ...(request.reason === undefined ? {} : { reason: request.reason }),
    ...(supersedes === null ? {} : { supersedes }),
    deploymentWas: now.environment?.status ?? "initialized",
    stacksWere: now.stacksWere,
    spec: now.spec,
    ...(yield* tracedMark(request.correlationId))
  }
  const at = yield* Clock.currentTimeMillis
  yield* store
    .append({
      stream: request.correlationId,
      expected: 0,
      guards: [lock],
      events: [
        { id: "requested", at, event },
        { id: `lease/${lock.fence}`, at, event: { _tag: "LeaseTaken", key: lock.key, fence: lock.fence } }
      ]
    })
    .pipe(
      Effect.catchTags({
        // The same request came through another process first: join it below.
        SequenceConflict: () => Effect.void,
        IllegalTransition: Effect.die,
        LeaseLost: () => Effect.fail(outrun(request))
      }),
      traced(request.correlationId, () => ({
        name: SpanName.submit,
        root: true,
        attributes: { [Attribute.kind]: request.kind, [Attribute.environment]: request.environment }
      }))
    )
  const execution = yield* store.execution(request.correlationId)
  if (execution === undefined) return yield* outrun(request)
  return { execution, joined: false }
})

const outrun = (request: Request) =>
  new Refused({
    kind: "blocked",
    code: "lease_lost",
    message: `the lease of ${request.deploymentId} in ${request.environment} was lost before the request was recorded`,
    hint: "Try again."
  })

/** Ends an execution that was left unfinished and whose lease is over; returns whether there was anything to end. */
const close = Effect.fnUntraced(function* (
  id: CorrelationId,
  request: Request,
  environment: EnvironmentState | undefined,
  lock: Lease
): Effect.fn.Return<boolean, Refused | StoreError, DeploymentStore | LeaseStore> {
  const store = yield* DeploymentStore
  const leases = yield* LeaseStore
  const mine = yield* claim(id, Duration.seconds(10)).pipe(
    Effect.catchTag("LeaseHeld", ({ lease }: LeaseHeld) => blockedBy({ ...lease, holder: id }, request))
  )
  const state = yield* store.execution(id)
  if (state === undefined || isFinished(state)) {
    yield* Effect.ignore(leases.release(mine))
    return false
  }
  const at = yield* Clock.currentTimeMillis
  const events = closing(state, environment, at, {
    code: "superseded",
    message: `${id} was left unfinished and is superseded by ${request.correlationId}`,
    hint: `Follow the new one: signalbox attach ${request.correlationId}`
  })
  yield* store.append({ stream: id, events, guards: [lock, mine] }).pipe(
    Effect.catchTags({
      SequenceConflict: Effect.die,
      IllegalTransition: Effect.die,
      LeaseLost: () => Effect.fail(outrun(request))
    }),
    Effect.ensuring(Effect.ignore(leases.release(mine)))
  )
  return true
})
