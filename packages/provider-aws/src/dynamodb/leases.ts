/**
 * Leases: an item each, which stays forever, so that its fence only grows; and a list of the held ones.
 */
import type { TransactWriteItem } from "@aws-sdk/client-dynamodb"
import type { Lease, LeasePurpose } from "@signalbox/core/spi"
import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import type { Database } from "./Database.ts"
import { cancellations } from "./failures.ts"
import { attributes, type Item, keyOf, keys, number, onlyIf, type Plain, text } from "./items.ts"
import { collect, get, getAll } from "./reading.ts"

const leaseOf = (item: Item): Lease => ({
  key: text(item, "key"),
  holder: text(item, "holder"),
  owner: text(item, "owner"),
  fence: number(item, "fence"),
  acquiredAt: number(item, "acquiredAt"),
  expiresAt: number(item, "expiresAt"),
  ...(item["purpose"] === undefined ? {} : { purpose: JSON.parse(text(item, "purpose")) as LeasePurpose })
})

/** The leases of a table. */
export const makeLeases = (database: Database) => {
  const TableName = database.table
  /** By how much the holder's time may be wrong that a lease was written with; by key and fence. */
  const uncertainties = new Map<string, number>()

  const read = (item: Item): Lease => {
    const lease = leaseOf(item)
    uncertainties.set(lease.key, number(item, "uncertainty"))
    if (uncertainties.size > 1_024) uncertainties.delete(uncertainties.keys().next().value!)
    return lease
  }

  /**
   * Waits until a lease is over for its holder too, which knows the time no better than to `uncertainty`. Otherwise two would
   * hold it for a moment.
   */
  const untilOver = async ({ expiresAt, key }: Lease): Promise<void> => {
    const { clock } = database
    for (;;) {
      const left = expiresAt + (uncertainties.get(key) ?? 0) + clock.uncertainty - clock.now()
      if (left <= 0) return
      await sleep(left)
    }
  }

  const isTakenOver = (before: Lease, after: Lease): boolean =>
    after.expiresAt > 0 &&
    before.expiresAt > 0 &&
    before.expiresAt <= database.clock.now() &&
    (before.owner !== after.owner || before.holder !== after.holder)

  const swap = async (before: Lease | undefined, after: Lease): Promise<boolean> => {
    if (before !== undefined && isTakenOver(before, after)) await untilOver(before)
    const id = randomBytes(12).toString("hex")
    const { purpose, ...lease } = after
    const row: Plain = {
      ...keys.lease(after.key),
      ...lease,
      purpose: purpose === undefined ? undefined : JSON.stringify(purpose),
      uncertainty: database.clock.uncertainty,
      swap: id
    }
    const condition =
      before === undefined
        ? onlyIf("attribute_not_exists(#pk)")
        : onlyIf("#fence = :fence AND #expiresAt = :expiresAt", { fence: before.fence, expiresAt: before.expiresAt })
    const listed = keys.held(after.key)
    const isRenewal =
      before !== undefined && before.fence === after.fence && before.expiresAt > 0 && after.expiresAt > 0
    const items: ReadonlyArray<TransactWriteItem> = [
      { Put: { TableName, Item: attributes(row), ...condition } },
      ...(isRenewal
        ? []
        : after.expiresAt > 0
          ? [{ Put: { TableName, Item: attributes({ ...listed }) } }]
          : [{ Delete: { TableName, Key: keyOf(listed) } }])
    ]
    try {
      await database.transact(id, items)
      return true
    } catch (error) {
      const isRefused = cancellations(error)?.[0]?.Code === "ConditionalCheckFailed"
      if (!isRefused) throw error
      // An earlier attempt may have been written although its answer was lost.
      if ((error as { readonly repeats?: number }).repeats === 0) return false
      const item = await get(database, keys.lease(after.key))
      return item?.["swap"]?.S === id
    }
  }

  return {
    // The time before the read, when the caller looks at its clock too: how long the read takes makes no difference.
    lease: async (key: string) => {
      const now = database.clock.now()
      const item = await get(database, keys.lease(key))
      return { lease: item === undefined ? undefined : read(item), now }
    },
    leases: async () => {
      const now = database.clock.now()
      const held = await collect(database, { pk: keys.held("").pk })
      const items = await getAll(
        database,
        held.map((item) => keys.lease(text(item, "sk")))
      )
      return { leases: items.flatMap((item) => (item === undefined ? [] : [read(item)])), now }
    },
    swap
  }
}
