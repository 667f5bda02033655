/**
 * The outbox: what is owed of each stream, and deliveries.
 *
 * A delivery is one item in the partition of its stream. It is found by its id through a pointer, in the order of time
 * through a list, and through another list as long as something has to be done about it.
 */
import type { TransactWriteItem } from "@aws-sdk/client-dynamodb"
import type {
  DeliveryRow,
  DeliveryRowQuery,
  DueRowQuery,
  OutboxCommit,
  OutboxOutcome,
  OwedRow,
  OwedRowQuery
} from "@signalbox/core/plugin"
import { randomBytes } from "node:crypto"
import type { Database } from "./Database.ts"
import { cancellations } from "./failures.ts"
import { attributes, type Item, type Key, keyOf, keys, number, onlyIf, packedWithin, text, unpacked } from "./items.ts"
import { collect, get, getAll, query } from "./reading.ts"

/** A transaction has at most 100 items, and a delivery needs up to five. */
const perTransaction = 18

const optionalText = (item: Item, name: string): string | null => (item[name] === undefined ? null : text(item, name))

const deliveryOf = (item: Item): DeliveryRow => ({
  id: text(item, "id"),
  stream: text(item, "stream"),
  deploymentId: text(item, "deploymentId"),
  seq: number(item, "seq"),
  channel: text(item, "channel"),
  kind: text(item, "kind"),
  status: text(item, "status"),
  attempts: number(item, "attempts"),
  nextAt: number(item, "nextAt"),
  createdAt: number(item, "createdAt"),
  updatedAt: number(item, "updatedAt"),
  body: unpacked(item, "body"),
  receipt: optionalText(item, "receipt"),
  error: optionalText(item, "error")
})

const byAge = (left: DeliveryRow, right: DeliveryRow): number =>
  left.createdAt - right.createdAt || left.seq - right.seq || (left.id < right.id ? -1 : 1)

/** The reads and the guarded write. */
export const makeOutbox = (database: Database) => {
  const TableName = database.table

  const owedOf = (item: Item, mark: number): OwedRow => ({
    stream: text(item, "stream"),
    deploymentId: text(item, "deploymentId"),
    seq: number(item, "seq"),
    mark,
    at: number(item, "at")
  })

  const markOf = (item: Item | undefined): number => (item === undefined ? 0 : number(item, "mark"))

  /** The newest that is owed, and up to where it is planned; what is planned whole stands in no list. */
  const mark = async (stream: string): Promise<OwedRow | undefined> => {
    const [debt, marked] = await getAll(database, [keys.owed(stream), keys.mark(stream)])
    if (debt !== undefined) return owedOf(debt, markOf(marked))
    return marked === undefined ? undefined : owedOf({ ...marked, seq: marked["mark"]! }, markOf(marked))
  }

  const owed = async ({ deploymentId, limit }: OwedRowQuery): Promise<ReadonlyArray<OwedRow>> => {
    const debts = await collect(database, { pk: keys.owed("").pk })
    const wanted = debts.filter((item) => deploymentId === undefined || text(item, "deploymentId") === deploymentId)
    const first = wanted.sort((left, right) => number(left, "at") - number(right, "at")).slice(0, limit)
    const marks = await getAll(
      database,
      first.map((item) => keys.mark(text(item, "stream")))
    )
    return first.map((item, index) => owedOf(item, markOf(marks[index]))).filter((row) => row.mark < row.seq)
  }

  const deliveriesAt = async (places: ReadonlyArray<Item>): Promise<ReadonlyArray<DeliveryRow>> => {
    const items = await getAll(
      database,
      places.map((place) => ({ pk: keys.delivery(text(place, "stream"), "").pk, sk: text(place, "id") }))
    )
    return items.flatMap((item) => (item === undefined ? [] : [deliveryOf(item)]))
  }

  const due = async ({
    channels,
    deploymentId,
    limit,
    statuses,
    until
  }: DueRowQuery): Promise<ReadonlyArray<DeliveryRow>> => {
    const found: Array<DeliveryRow> = []
    if (channels?.length === 0) return found
    const range = { pk: keys.due(0, "").pk, between: [keys.due(0, "").sk, keys.due(until, "~").sk] as const }
    for await (const page of query(database, range)) {
      const wanted = page.filter(
        (item) =>
          (channels === undefined || channels.includes(text(item, "channel"))) &&
          (deploymentId === undefined || text(item, "deploymentId") === deploymentId)
      )
      // The list says nothing of the status, so all of the page may have to be read.
      const places = statuses === undefined ? wanted.slice(0, limit - found.length) : wanted
      const rows = await deliveriesAt(places)
      found.push(...rows.filter(({ status }) => statuses?.includes(status) ?? true))
      if (found.length >= limit) break
    }
    return found.slice(0, limit)
  }

  const deliveries = async (asked: DeliveryRowQuery): Promise<ReadonlyArray<DeliveryRow>> => {
    const matches = (row: DeliveryRow) =>
      (asked.id === undefined || row.id === asked.id) &&
      (asked.deploymentId === undefined || row.deploymentId === asked.deploymentId) &&
      (asked.stream === undefined || row.stream === asked.stream) &&
      (asked.channel === undefined || row.channel === asked.channel) &&
      (asked.statuses === undefined || asked.statuses.includes(row.status))
    if (asked.id !== undefined) {
      const place = await get(database, keys.deliveryPlace(asked.id))
      return place === undefined ? [] : (await deliveriesAt([place])).filter(matches)
    }
    if (asked.stream !== undefined) {
      const rows = (await collect(database, { pk: keys.delivery(asked.stream, "").pk })).map(deliveryOf)
      const sorted = rows.filter(matches).sort(byAge)
      return (asked.newestFirst === true ? sorted.reverse() : sorted).slice(0, asked.limit)
    }
    const found: Array<DeliveryRow> = []
    const range = { pk: keys.listedDelivery(0, 0, "").pk, descending: asked.newestFirst === true }
    for await (const page of query(database, range)) {
      found.push(...(await deliveriesAt(page)).filter(matches))
      if (found.length >= asked.limit) break
    }
    return found.slice(0, asked.limit)
  }

  const put = (
    key: Key,
    values: Readonly<Record<string, string | number | Uint8Array | undefined>>
  ): TransactWriteItem => ({
    Put: { TableName, Item: attributes({ ...key, ...values }) }
  })

  const partsOf = (row: DeliveryRow, before: Item | undefined): ReadonlyArray<TransactWriteItem> => {
    const place = { stream: row.stream, id: row.id, channel: row.channel, deploymentId: row.deploymentId }
    const { body, error, receipt, ...plain } = row
    const was = before === undefined ? 0 : number(before, "nextAt")
    const created = before === undefined ? undefined : number(before, "createdAt")
    return [
      put(keys.delivery(row.stream, row.id), {
        ...plain,
        body: packedWithin(body, `delivery ${row.id}`),
        receipt: receipt ?? undefined,
        error: error ?? undefined
      }),
      ...(created === row.createdAt
        ? []
        : [
            put(keys.deliveryPlace(row.id), place),
            put(keys.listedDelivery(row.createdAt, row.seq, row.id), place),
            ...(created === undefined
              ? []
              : [{ Delete: { TableName, Key: keyOf(keys.listedDelivery(created, row.seq, row.id)) } }])
          ]),
      ...(was === row.nextAt
        ? []
        : [
            ...(was === 0 ? [] : [{ Delete: { TableName, Key: keyOf(keys.due(was, row.id)) } }]),
            ...(row.nextAt === 0 ? [] : [put(keys.due(row.nextAt, row.id), place)])
          ])
    ]
  }

  const guardParts = ({ guards }: OutboxCommit): ReadonlyArray<TransactWriteItem> => {
    const now = database.clock.now()
    return guards.map(({ fence, holder, key }) => ({
      ConditionCheck: {
        TableName,
        Key: keyOf(keys.lease(key)),
        ...onlyIf("#fence = :fence AND #holder = :holder AND #expiresAt > :now", { fence, holder, now })
      }
    }))
  }

  const markParts = async ({ mark: moved }: OutboxCommit): Promise<ReadonlyArray<TransactWriteItem>> => {
    if (moved === undefined) return []
    const debt = await get(database, keys.owed(moved.stream))
    const deploymentId = debt === undefined ? "" : text(debt, "deploymentId")
    const isPaid = debt !== undefined && number(debt, "seq") <= moved.to
    return [
      {
        Put: {
          TableName,
          Item: attributes({
            ...keys.mark(moved.stream),
            stream: moved.stream,
            deploymentId,
            mark: moved.to,
            at: database.clock.now()
          }),
          ...(moved.from === 0
            ? onlyIf("attribute_not_exists(#pk) OR #mark = :from", { from: 0 })
            : onlyIf("#mark = :from", { from: moved.from }))
        }
      },
      ...(isPaid
        ? [
            {
              Delete: {
                TableName,
                Key: keyOf(keys.owed(moved.stream)),
                ...onlyIf("#seq = :seq", { seq: number(debt, "seq") })
              }
            }
          ]
        : [])
    ]
  }

  /** One transaction, or several one after the other: the mark comes with the last, and repeats of the others are harmless. */
  const commit = async (write: OutboxCommit): Promise<OutboxOutcome> => {
    const before = await getAll(
      database,
      write.deliveries.map((row) => keys.delivery(row.stream, row.id))
    )
    const groups: Array<ReadonlyArray<TransactWriteItem>> = []
    for (let from = 0; from < write.deliveries.length; from += perTransaction) {
      const rows = write.deliveries.slice(from, from + perTransaction)
      groups.push(rows.flatMap((row, index) => partsOf(row, before[from + index])))
    }
    if (groups.length === 0) groups.push([])
    const guards = guardParts(write)
    for (const [index, parts] of groups.entries()) {
      const isLast = index === groups.length - 1
      for (;;) {
        const marked = isLast ? await markParts(write) : []
        try {
          await database.transact(randomBytes(12).toString("hex"), [...guards, ...marked, ...parts])
          break
        } catch (error) {
          const reasons = cancellations(error)
          if (reasons === undefined) throw error
          const failed = reasons.flatMap(({ Code }, at) => (Code === "ConditionalCheckFailed" ? [at] : []))
          if (failed.length === 0) throw error
          if (failed.some((at) => at < guards.length)) return "Lost"
          // More was owed meanwhile: the debt stays.
          if (failed.every((at) => at === guards.length + 1)) continue
          const now = write.mark === undefined ? undefined : await get(database, keys.mark(write.mark.stream))
          // An earlier attempt was written although its answer was lost.
          if (write.mark !== undefined && markOf(now) === write.mark.to && write.mark.to > write.mark.from) {
            if ((error as { readonly repeats?: number }).repeats !== 0) return "Committed"
          }
          return "Stale"
        }
      }
    }
    return "Committed"
  }

  /** Everything of a stream, to be deleted with it. */
  const keysOf = async (stream: string): Promise<ReadonlyArray<Key>> => {
    const rows = (await collect(database, { pk: keys.delivery(stream, "").pk })).map(deliveryOf)
    return [
      keys.owed(stream),
      keys.mark(stream),
      ...rows.flatMap((row) => [
        keys.delivery(stream, row.id),
        keys.deliveryPlace(row.id),
        keys.listedDelivery(row.createdAt, row.seq, row.id),
        ...(row.nextAt === 0 ? [] : [keys.due(row.nextAt, row.id)])
      ])
    ]
  }

  /** Whether something of a stream is still owed. */
  const owes = async (stream: string): Promise<boolean> => {
    const row = await mark(stream)
    if (row === undefined) return false
    if (row.mark < row.seq) return true
    const rows = await deliveries({ stream, statuses: ["queued", "scheduled"], limit: 1 })
    return rows.length > 0
  }

  return { commit, deliveries, due, keysOf, mark, owed, owes }
}
