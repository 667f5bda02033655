/**
 * The streams whose notifications this process sends: one process at a time, by a lease.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Semaphore from "effect/Semaphore"
import { notifyLeaseKey } from "../../spi/LeaseKey.ts"
import { type Lease, LeaseStore } from "../../spi/LeaseStore.ts"
import type { StoreError } from "../../spi/StoreError.ts"
import { RunnerIdentity, uniqueOwner } from "../lease/index.ts"

const ttl = 20_000
/** A lease that nothing uses is returned after this time, in ms: the next event may follow at once. */
const idle = 1_000

/**
 * A claimed stream.
 *
 * *Details*: `changing` lets one fiber at a time read and write its deliveries; `version` counts how often it was planned.
 */
export interface Claim {
  lease: Lease
  until: number
  users: number
  idleSince: number
  version: number
  readonly changing: Semaphore.Semaphore
}

/** Makes the claims of one worker. */
export const makeClaims: Effect.Effect<
  {
    /** Undefined if another process has it. It must be left again. */
    readonly enter: (stream: string) => Effect.Effect<Claim | undefined, StoreError>
    readonly leave: (stream: string) => Effect.Effect<void>
    /** It is lost: the next one has to claim it again. */
    readonly forget: (stream: string) => void
    /** Prolongs leases in use, and returns the others. */
    readonly tend: Effect.Effect<void>
    readonly returnAll: Effect.Effect<void>
  },
  never,
  LeaseStore
> = Effect.gen(function* () {
  const leases = yield* LeaseStore
  const { isDead, owner } = yield* RunnerIdentity
  const holder = yield* uniqueOwner
  const held = new Map<string, Claim>()
  const elsewhere = new Map<string, number>()
  const entering = yield* Semaphore.make(1)

  const acquire = Effect.fnUntraced(function* (stream: string, now: number) {
    const options = {
      key: notifyLeaseKey(stream),
      holder,
      owner,
      ttl: Duration.millis(ttl),
      purpose: { kind: "notify" }
    }
    const lease = yield* leases.acquire(options).pipe(
      Effect.catchTag("LeaseHeld", (other) =>
        isDead(other.lease.owner) ? leases.acquire({ ...options, evict: other.lease.fence }) : Effect.fail(other)
      ),
      Effect.catchTag("LeaseHeld", ({ lease: other }) => {
        elsewhere.set(stream, Math.min(other.expiresAt, now + idle))
        return Effect.undefined
      })
    )
    if (lease === undefined) return undefined
    const claim: Claim = {
      lease,
      until: now + ttl,
      users: 0,
      idleSince: now,
      version: 0,
      changing: Semaphore.makeUnsafe(1)
    }
    held.set(stream, claim)
    return claim
  })

  const enter = Effect.fnUntraced(function* (stream: string) {
    const now = yield* Clock.currentTimeMillis
    const known = held.get(stream)
    if (known !== undefined && known.until - now > ttl / 4) {
      known.users++
      return known
    }
    if (known !== undefined) held.delete(stream)
    if ((elsewhere.get(stream) ?? 0) > now) return undefined
    elsewhere.delete(stream)
    const claim = yield* acquire(stream, now)
    if (claim !== undefined) claim.users++
    return claim
  })

  const release = (stream: string, claim: Claim) => {
    held.delete(stream)
    return Effect.ignore(leases.release(claim.lease))
  }

  const renew = (stream: string, claim: Claim, now: number) =>
    leases.renew(claim.lease, Duration.millis(ttl)).pipe(
      Effect.map((lease) => {
        claim.lease = lease
        claim.until = now + ttl
      }),
      Effect.catchTag("LeaseLost", () => Effect.sync(() => void held.delete(stream))),
      // The next round tries again; a lease that ends in between is acquired again.
      Effect.catchTag("StoreError", () => Effect.void)
    )

  return {
    enter: (stream: string) => entering.withPermit(enter(stream)),
    leave: (stream: string) =>
      Effect.map(Clock.currentTimeMillis, (now) => {
        const claim = held.get(stream)
        if (claim === undefined) return
        claim.users--
        claim.idleSince = now
      }),
    forget: (stream: string) => void held.delete(stream),
    tend: Effect.flatMap(Clock.currentTimeMillis, (now) =>
      Effect.forEach(
        [...held],
        ([stream, claim]) =>
          claim.users > 0
            ? claim.until - now < ttl / 2
              ? renew(stream, claim, now)
              : Effect.void
            : now - claim.idleSince >= idle
              ? release(stream, claim)
              : Effect.void,
        { discard: true }
      )
    ),
    returnAll: Effect.suspend(() =>
      Effect.forEach([...held], ([stream, claim]) => release(stream, claim), { discard: true })
    )
  }
})
