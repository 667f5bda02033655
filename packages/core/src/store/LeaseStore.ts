/**
 * The typed lease store over an encoded one.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Lease, LeaseHeld, LeaseLost, LeaseStore } from "../spi/LeaseStore.ts"
import type { EncodedLeaseStore } from "./Encoded.ts"

const isHeld = (lease: Lease | undefined, now: number): lease is Lease => lease !== undefined && lease.expiresAt > now

const isSame = (present: Lease | undefined, lease: Lease): present is Lease =>
  present !== undefined && present.fence === lease.fence && present.holder === lease.holder

const after = (now: number, ttl: Duration.Duration): number => Math.ceil(now + Duration.toMillis(ttl))

/**
 * Makes a `LeaseStore` of an encoded one, by reading and swapping until it holds.
 *
 * *Details*: the row of a key stays for ever, so that its fence only grows; `get` gives it also when it has expired (then
 * `expiresAt` is past) or was released (0). `list` gives the leases that are held.
 *
 * @since 0.1.0
 */
export const makeLeaseStore = (encoded: EncodedLeaseStore): LeaseStore["Service"] =>
  LeaseStore.of({
    acquire: Effect.fnUntraced(function* (options) {
      for (;;) {
        const { lease: present, now } = yield* encoded.get(options.key)
        if (isHeld(present, now)) {
          const own =
            present.holder === options.holder && (options.sameHolder === true || present.owner === options.owner)
          if (!own && options.evict !== present.fence) return yield* new LeaseHeld({ lease: present })
        }
        const lease: Lease = {
          key: options.key,
          holder: options.holder,
          owner: options.owner,
          fence: (present?.fence ?? 0) + 1,
          acquiredAt: now,
          expiresAt: after(now, options.ttl),
          ...(options.reason === undefined ? {} : { reason: options.reason })
        }
        if (yield* encoded.swap(present, lease)) return lease
      }
    }),
    renew: Effect.fnUntraced(function* (lease, ttl) {
      for (;;) {
        const { lease: present, now } = yield* encoded.get(lease.key)
        if (!isSame(present, lease) || !isHeld(present, now)) {
          return yield* new LeaseLost({ key: lease.key, fence: lease.fence })
        }
        const renewed: Lease = { ...present, expiresAt: after(now, ttl) }
        if (yield* encoded.swap(present, renewed)) return renewed
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
    get: (key) => Effect.map(encoded.get(key), ({ lease }) => lease),
    list: Effect.map(encoded.list, ({ leases, now }) => leases.filter((lease) => isHeld(lease, now)))
  })
