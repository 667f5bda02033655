/**
 * How a runner acquires the lease of its execution: on admission, or after a runner that died.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { type ExecutionState, isQueued } from "../../domain/Execution.ts"
import { errorInfo } from "../../domain/errors/index.ts"
import type { CorrelationId } from "../../domain/Ids.ts"
import { DeploymentStore } from "../../spi/DeploymentStore.ts"
import { type LeaseHeld, type LeaseLost, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { acquireEnvironmentLease, type KeptLease, isLeaseHeld, uniqueOwner } from "../lease/index.ts"
import { environmentLeaseKey } from "../../spi/LeaseKey.ts"
import * as Admission from "./Admission.ts"

type Services = DeploymentStore | LeaseStore

/** The request: `claim` is the right to run the execution, `ttl` the lease's time to live. */
interface Runner {
  readonly claim: KeptLease
  readonly owner: string
  readonly ttl: Duration.Duration
}

/**
 * Acquires the lease of an execution; undefined if it ended while it waited.
 *
 * *Errors*: `LeaseHeld` if another execution has it, `LeaseLost` if the claim was lost, `StoreError`.
 */
export const acquireRunnerLease = Effect.fnUntraced(function* (
  state: ExecutionState,
  runner: Runner
): Effect.fn.Return<Admission.AdmittedLease | undefined, LeaseHeld | LeaseLost | StoreError, Services> {
  if (hasCommand(state)) yield* untilExpired(state)
  return isQueued(state) ? yield* awaitAdmission(state.correlationId, runner) : yield* takeBack(state, runner)
})

/** Waits for the admission of an execution; stopping it meanwhile withdraws the request. */
const awaitAdmission = (
  id: CorrelationId,
  { claim, owner, ttl }: Runner
): Effect.Effect<Admission.AdmittedLease | undefined, LeaseLost | StoreError, Services> =>
  Effect.raceFirst(Admission.waitForAdmission({ id, claim: claim.lease, owner, ttl }), claim.lost).pipe(
    Effect.onInterrupt(() =>
      Admission.withdraw(id, errorInfo("interrupted", { during: "queue" })).pipe(
        Effect.timeoutOption("5 seconds"),
        Effect.ignore
      )
    )
  )

/**
 * Acquires the lease of an admitted execution. The next in the queue may hold it for a moment, having found it free; it
 * cannot begin while the execution is claimed, and returns it. The lease of a command that has begun is never taken
 * from another runner: the command may be alive.
 */
const takeBack = Effect.fnUntraced(function* (
  state: ExecutionState,
  { owner: runner, ttl }: Runner
): Effect.fn.Return<Admission.AdmittedLease, LeaseHeld | StoreError, Services> {
  const { correlationId, deploymentId, environment } = state
  const store = yield* DeploymentStore
  const sameHolder = !hasCommand(state)
  // Two runs in one process are two runners.
  const owner = sameHolder ? runner : yield* uniqueOwner
  const isOurs = Effect.map(store.environment(deploymentId, environment), (found) => found?.current === correlationId)
  return yield* Effect.retry(acquireEnvironmentLease(state, { owner, ttl, sameHolder }), {
    schedule: Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: ttl })),
    while: (error) => (error._tag === "LeaseHeld" ? isOurs : Effect.succeed(false))
  })
})

/** Whether its command has begun. */
const hasCommand = ({ kind, startedAt }: ExecutionState): boolean => kind === "run" && startedAt !== undefined

/**
 * A command may outlive its runner for a moment, but not the lease, which is renewed for as long as the runner that
 * lost the claim is ending it.
 */
const untilExpired = Effect.fnUntraced(function* ({
  correlationId,
  deploymentId,
  environment
}: ExecutionState): Effect.fn.Return<void, StoreError, LeaseStore> {
  const leases = yield* LeaseStore
  while (true) {
    const lock = yield* leases.get(environmentLeaseKey(deploymentId, environment))
    if (lock?.holder !== correlationId || lock.expiresAt === 0) return
    if (!(yield* isLeaseHeld(lock))) return
    const left = lock.expiresAt - (yield* Clock.currentTimeMillis)
    yield* Effect.sleep(Duration.millis(Math.max(50, Math.min(left, 1_000))))
  }
})
