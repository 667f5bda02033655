/**
 * Reads of the base table, always consistent: what was written before is seen.
 */
import type { Database } from "./Database.ts"
import { expression, type Item, type Key, keyOf, text } from "./items.ts"

/** How many calls run at once. */
const width = 16

/** Maps in order, with a few at once. */
export const inParallel = async <A, B>(values: ReadonlyArray<A>, map: (value: A) => Promise<B>): Promise<Array<B>> => {
  const results: Array<B> = []
  for (let from = 0; from < values.length; from += width) {
    results.push(...(await Promise.all(values.slice(from, from + width).map(map))))
  }
  return results
}

/** One item. */
export const get = async (database: Database, key: Key): Promise<Item | undefined> =>
  (await database.one("getItem", { Key: keyOf(key), ConsistentRead: true })).Item

interface Range {
  readonly pk: string
  /** The first and the last key, both included; without it, all of them. */
  readonly between?: readonly [from: string, to: string]
  readonly descending?: boolean
  /** Items in a page; without it, 1 MB. */
  readonly page?: number
}

/** The items of a partition in the order of their keys, page by page. */
export async function* query(
  database: Database,
  { between, descending = false, page, pk }: Range
): AsyncGenerator<ReadonlyArray<Item>> {
  const [from, to] = between ?? []
  if (from !== undefined && to !== undefined && from > to) return
  const condition = between === undefined ? "#pk = :pk" : "#pk = :pk AND #sk BETWEEN :from AND :to"
  let start: Item | undefined
  do {
    const { Items, LastEvaluatedKey } = await database.one("query", {
      KeyConditionExpression: condition,
      ...expression(condition, { pk, from, to }),
      ConsistentRead: true,
      ScanIndexForward: !descending,
      ...(page === undefined ? {} : { Limit: page }),
      ...(start === undefined ? {} : { ExclusiveStartKey: start })
    })
    yield Items ?? []
    start = LastEvaluatedKey
  } while (start !== undefined)
}

/** All items of a range. */
export const collect = async (database: Database, range: Range): Promise<ReadonlyArray<Item>> => {
  const items: Array<Item> = []
  for await (const page of query(database, range)) items.push(...page)
  return items
}

const identity = ({ pk, sk }: Key) => `${pk}\n${sk}`

/** Many items by their keys, in the order of the keys; undefined where there is none. */
export const getAll = async (database: Database, wanted: ReadonlyArray<Key>): Promise<Array<Item | undefined>> => {
  const found = new Map<string, Item>()
  // A call with the same key twice is refused.
  const distinct = [...new Map(wanted.map((key) => [identity(key), key])).values()]
  const batches: Array<ReadonlyArray<Key>> = []
  for (let from = 0; from < distinct.length; from += 100) batches.push(distinct.slice(from, from + 100))
  await inParallel(batches, async (batch) => {
    let left: ReadonlyArray<Item> = batch.map(keyOf)
    while (left.length > 0) {
      const { answer } = await database.repeated((client) =>
        client.batchGetItem({ RequestItems: { [database.table]: { Keys: [...left], ConsistentRead: true } } })
      )
      for (const item of answer.Responses?.[database.table] ?? []) {
        found.set(identity({ pk: text(item, "pk"), sk: text(item, "sk") }), item)
      }
      left = answer.UnprocessedKeys?.[database.table]?.Keys ?? []
    }
  })
  return wanted.map((key) => found.get(identity(key)))
}
