import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Lease, LeaseLost, LeaseStore } from "../spi/LeaseStore.ts"
import { StoreError } from "../spi/StoreError.ts"

/**
 * A lease that is kept alive for as long as its scope is open, and given back when it closes.
 *
 * *Details*: renewed three times per time to live, and twice a second while the store is out of reach. `lost` fails once it
 * is lost, or once the store was out of reach for so long that it may be: whoever works under the lease races against it.
 * `check` asks the store whether it is still held, and then makes sure that it is `inTime`.
 * `inTime` fails where the lease may be over by the clocks of this computer. An answer of the store is no proof: a process
 * that was stopped reads an old one when it wakes.
 * `deadline` is the time, in milliseconds since the epoch, until which it is surely held; 0 once it is lost.
 *
 * @since 0.1.0
 */
export interface KeptLease {
  readonly lease: () => Lease
  readonly check: Effect.Effect<void, LeaseLost | StoreError>
  readonly inTime: Effect.Effect<void, LeaseLost>
  readonly lost: Effect.Effect<never, LeaseLost | StoreError>
  readonly deadline: SubscriptionRef.SubscriptionRef<number>
}

/**
 * Keeps a lease that was acquired; `asked` is the time at which it was asked for, by the clock of this computer.
 *
 * @since 0.1.0
 */
export const keep = Effect.fnUntraced(function* (
  acquired: Lease,
  ttl: Duration.Duration,
  asked?: number
): Effect.fn.Return<KeptLease, never, LeaseStore | Scope.Scope> {
  const store = yield* LeaseStore
  const lost = yield* Deferred.make<never, LeaseLost | StoreError>()
  const third = Duration.toMillis(ttl) / 3
  const now = yield* Clock.currentTimeMillis
  let lease = acquired
  // By this computer's own clock, counted from before the question: never later than what the store goes by.
  const deadline = yield* SubscriptionRef.make((asked ?? now) + Duration.toMillis(ttl))
  // The same by steady time: a wall clock may be set back while the process is stopped.
  let steadyDeadline = (yield* steady) + Duration.toMillis(ttl) - Math.max(0, now - (asked ?? now))

  // Returns after what time it is to be renewed again.
  const renew = Effect.gen(function* () {
    const asked = yield* Clock.currentTimeMillis
    const steadyAsked = yield* steady
    lease = yield* store.renew(lease, ttl)
    steadyDeadline = steadyAsked + Duration.toMillis(ttl)
    yield* SubscriptionRef.set(deadline, asked + Duration.toMillis(ttl))
    return third
  }).pipe(
    Effect.catchTag("StoreError", (error) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) =>
        error.isRetryable && now < lease.expiresAt
          ? Effect.succeed(Math.min(500, third, lease.expiresAt - now))
          : Effect.fail(error)
      )
    )
  )

  yield* Effect.addFinalizer(() => Effect.ignore(store.release(lease)))
  const keeping = Effect.gen(function* () {
    let next = third
    while (true) {
      yield* Effect.sleep(next)
      next = yield* renew
    }
  })
  yield* keeping.pipe(
    Effect.catch((error) => Effect.andThen(SubscriptionRef.set(deadline, 0), Deferred.fail(lost, stopped(error)))),
    Effect.forkScoped
  )

  const inTime = Effect.all([Clock.currentTimeMillis, steady, SubscriptionRef.get(deadline)]).pipe(
    Effect.flatMap(([now, steadyNow, until]) =>
      now < until && steadyNow < steadyDeadline
        ? Effect.void
        : Effect.fail(new LeaseLost({ key: lease.key, fence: lease.fence }))
    )
  )

  return {
    lease: () => lease,
    check: Effect.andThen(
      Effect.suspend(() => store.check(lease)),
      inTime
    ),
    inTime,
    lost: Deferred.await(lost),
    deadline
  }
})

/**
 * Checks all of several leases, right before something is done under them.
 *
 * *Details*: one after the other, and in the end all by the clock again: the process may have been stopped between two answers.
 *
 * @since 0.1.0
 */
export const checkAll = (leases: ReadonlyArray<KeptLease>): Effect.Effect<void, LeaseLost | StoreError> =>
  Effect.andThen(
    Effect.forEach(leases, ({ check }) => check, { discard: true }),
    Effect.forEach(leases, ({ inTime }) => inTime, { discard: true })
  )

/** Milliseconds that only go forward. */
const steady = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1_000_000)

/** Says of an outage what it did. */
const stopped = (error: LeaseLost | StoreError): LeaseLost | StoreError =>
  error._tag === "LeaseLost"
    ? error
    : new StoreError({
        operation: "the lease could not be renewed in time, and what ran under it was stopped",
        reason: error.reason,
        detail: error.detail,
        cause: error
      })
