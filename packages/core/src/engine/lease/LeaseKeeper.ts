import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { type Lease, LeaseLost, LeaseStore } from "../../spi/LeaseStore.ts"
import { StoreError } from "../../spi/StoreError.ts"

/**
 * A lease that is renewed while its scope is open, and returned when it closes.
 *
 * *Details*: renewed three times per time to live, and twice a second while the store is unavailable. `lost` fails with
 * `LeaseLost` once it is lost, or once the store was unavailable for so long that it may be (even if the store does not
 * answer at all), and with `StoreError` if the store fails permanently. Work under the lease races against it. `check`
 * asks the store whether it is still held, and then verifies that it is `inTime`. `inTime` fails if the lease may be
 * over by this computer's clocks. The store's answer alone is no proof: a process that was stopped reads an old one
 * when it wakes up. `deadline` is the time, in milliseconds since the epoch, until which it is certainly held; 0 once
 * it is lost. `outage` is the last error of a store that could not be reached for a renewal, until two renewals in a
 * row succeeded.
 */
export interface KeptLease {
  readonly lease: () => Lease
  readonly check: Effect.Effect<void, LeaseLost | StoreError>
  readonly inTime: Effect.Effect<void, LeaseLost>
  readonly lost: Effect.Effect<never, LeaseLost | StoreError>
  readonly deadline: SubscriptionRef.SubscriptionRef<number>
  readonly outage: () => StoreError | undefined
}

/**
 * Keeps an acquired lease; `asked` is the time of the request, by this computer's clock.
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
  let outage: StoreError | undefined
  let wasAway = false
  // By this computer's own clock, counted from before the request: never later than the store's time.
  const deadline = yield* SubscriptionRef.make((asked ?? now) + Duration.toMillis(ttl))
  // The same by monotonic time: a wall clock may be set back while the process is stopped.
  let steadyDeadline = (yield* steady) + Duration.toMillis(ttl) - Math.max(0, now - (asked ?? now))

  // Returns the time until the next renewal.
  const renew = Effect.gen(function* () {
    const asked = yield* Clock.currentTimeMillis
    const steadyAsked = yield* steady
    lease = yield* store.renew(lease, ttl)
    steadyDeadline = steadyAsked + Duration.toMillis(ttl)
    yield* SubscriptionRef.set(deadline, asked + Duration.toMillis(ttl))
    if (!wasAway) outage = undefined
    wasAway = false
    return third
  })

  const renewInTime = Effect.gen(function* () {
    const until = yield* SubscriptionRef.get(deadline)
    const left = until - (yield* Clock.currentTimeMillis)
    // A store that does not answer must not hide the end of the lease. After that end, which a stopped process wakes up
    // to, the store is asked once more: it decides.
    const renewed = yield* Effect.result(
      Effect.timeoutOrElse(renew, {
        duration: left > 0 ? left : third,
        orElse: () => Effect.fail(outage ?? silence)
      })
    )
    if (renewed._tag === "Success") return renewed.success
    const error = renewed.failure
    if (error._tag === "LeaseLost") return yield* lostBy(lease, outage)
    if (!error.isRetryable) return yield* error
    outage = error
    wasAway = true
    const now = yield* Clock.currentTimeMillis
    if (now >= until) return yield* lostBy(lease, outage)
    return Math.min(500, third, until - now)
  })

  // An expired lease need not be returned, and an unavailable store must not delay the end.
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(SubscriptionRef.get(deadline), (until) =>
      until === 0
        ? Effect.void
        : Effect.ignore(Effect.timeoutOption(Effect.interruptible(store.release(lease)), "2 seconds"))
    )
  )
  const keeping = Effect.gen(function* () {
    let next = third
    while (true) {
      yield* Effect.sleep(next)
      next = yield* renewInTime
    }
  })
  yield* keeping.pipe(
    Effect.catchCause((cause) => Effect.andThen(SubscriptionRef.set(deadline, 0), Deferred.failCause(lost, cause))),
    Effect.forkScoped
  )

  const inTime = Effect.all([Clock.currentTimeMillis, steady, SubscriptionRef.get(deadline)]).pipe(
    Effect.flatMap(([now, steadyNow, until]) =>
      now < until && steadyNow < steadyDeadline ? Effect.void : Effect.fail(lostBy(lease, outage))
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
    deadline,
    outage: () => outage
  }
})

/**
 * Checks several leases, immediately before something is done under them.
 *
 * *Details*: one after the other, and finally all by the clock again: the process may have been stopped between two
 * answers.
 */
export const checkAll = (leases: ReadonlyArray<KeptLease>): Effect.Effect<void, LeaseLost | StoreError> =>
  Effect.andThen(
    Effect.forEach(leases, ({ check }) => check, { discard: true }),
    Effect.forEach(leases, ({ inTime }) => inTime, { discard: true })
  )

/** Monotonic milliseconds. */
const steady = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1_000_000)

/**
 * The loss of a lease, with the outage that preceded it, if any.
 */
export const lostBy = ({ fence, key }: Pick<Lease, "fence" | "key">, outage: StoreError | undefined): LeaseLost =>
  new LeaseLost({ key, fence, ...(outage === undefined ? {} : { outage }) })

const silence = new StoreError({ operation: "lease", reason: "Unavailable", detail: "the store did not answer" })

/**
 * Adds the outage that ended a lease, if another part met the end of the lease before its keeper did.
 */
export const explained =
  (...kept: ReadonlyArray<KeptLease>) =>
  <E>(error: E): E | LeaseLost => {
    if (!(error instanceof LeaseLost)) return error
    const outage = kept.map(({ outage }) => outage()).find((one) => one !== undefined) ?? error.outage
    return lostBy(error, outage)
  }
