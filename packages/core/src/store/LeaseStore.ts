/**
 * The typed lease store over an encoded one.
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Lease, LeaseHeld, LeaseLost, LeaseStore } from "../spi/LeaseStore.ts"
import type { EncodedLeaseStore } from "./Encoded.ts"

const isHeld = (lease: Lease | undefined, now: number): lease is Lease => lease !== undefined && lease.expiresAt > now

const isSame = (present: Lease | undefined, lease: Lease): present is Lease =>
  present !== undefined && present.fence === lease.fence && present.holder === lease.holder

const after = (now: number, ttl: Duration.Duration): number => Math.ceil(now + Duration.toMillis(ttl))

/** The tolerance between two clocks that should be the same, in ms. */
const agreed = 10

/**
 * Asks a store, and converts its times to the local clock. If its time lies between the local times before and after
 * asking, both clocks count as the same; otherwise a lease ends here rather too early than too late. As long as the clocks
 * differ by about the same, a lease keeps its times, for each process of this host.
 */
const makeAsking = () => {
  let known = 0
  return Effect.fnUntraced(function* <A extends { readonly now: number }, E, R>(ask: Effect.Effect<A, E, R>) {
    const before = yield* Clock.currentTimeMillis
    const found = yield* ask
    const after = yield* Clock.currentTimeMillis
    const isAgreed = found.now >= before - agreed && found.now <= after + agreed
    const difference = isAgreed ? 0 : before - found.now
    if (isAgreed || Math.abs(difference - known) > agreed) known = Math.round(difference / agreed) * agreed
    const shift = known
    const here = (lease: Lease): Lease =>
      shift === 0 || lease.expiresAt === 0
        ? lease
        : {
            ...lease,
            acquiredAt: Math.max(0, lease.acquiredAt + shift),
            expiresAt: Math.max(1, lease.expiresAt + shift)
          }
    return { ...found, here }
  })
}

/**
 * Creates a `LeaseStore` from an encoded one, by reading and swapping until it succeeds.
 *
 * *Details*: the row of a key stays forever, so that its fence only grows; `get` also returns it after it expired
 * (`expiresAt` is past) or was released (0). `list` returns the held leases. Times use the caller's clock; the store's
 * clock decides expiry.
 */
export const makeLeaseStore = (encoded: EncodedLeaseStore): LeaseStore["Service"] => {
  const asking = makeAsking()
  return LeaseStore.of({
    acquire: Effect.fnUntraced(function* (options) {
      for (;;) {
        const { here, lease: present, now } = yield* asking(encoded.get(options.key))
        if (isHeld(present, now)) {
          const own =
            present.holder === options.holder && (options.sameHolder === true || present.owner === options.owner)
          if (!own && options.evict !== present.fence) return yield* new LeaseHeld({ lease: here(present) })
        }
        const lease: Lease = {
          key: options.key,
          holder: options.holder,
          owner: options.owner,
          fence: (present?.fence ?? 0) + 1,
          acquiredAt: now,
          expiresAt: after(now, options.ttl),
          ...(options.purpose === undefined ? {} : { purpose: options.purpose })
        }
        if (yield* encoded.swap(present, lease)) return here(lease)
      }
    }),
    renew: Effect.fnUntraced(function* (lease, ttl) {
      for (;;) {
        const { here, lease: present, now } = yield* asking(encoded.get(lease.key))
        if (!isSame(present, lease) || !isHeld(present, now)) {
          return yield* new LeaseLost({ key: lease.key, fence: lease.fence })
        }
        const renewed: Lease = { ...present, expiresAt: after(now, ttl) }
        if (yield* encoded.swap(present, renewed)) return here(renewed)
      }
    }),
    release: Effect.fnUntraced(function* (lease) {
      for (;;) {
        const { lease: present } = yield* encoded.get(lease.key)
        if (!isSame(present, lease) || present.expiresAt === 0) return
        if (yield* encoded.swap(present, { ...present, expiresAt: 0 })) return
      }
    }),
    check: Effect.fnUntraced(function* (lease) {
      const { lease: present, now } = yield* encoded.get(lease.key)
      if (!isSame(present, lease) || !isHeld(present, now)) {
        return yield* new LeaseLost({ key: lease.key, fence: lease.fence })
      }
    }),
    get: (key) =>
      Effect.map(asking(encoded.get(key)), ({ here, lease }) => (lease === undefined ? undefined : here(lease))),
    list: Effect.map(asking(encoded.list), ({ here, leases, now }) =>
      leases.filter((lease) => isHeld(lease, now)).map(here)
    )
  })
}
