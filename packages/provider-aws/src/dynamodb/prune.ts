/**
 * Deletes old executions.
 */
import type { WriteRequest } from "@aws-sdk/client-dynamodb"
import { randomBytes } from "node:crypto"
import type { Database } from "./Database.ts"
import { cancellations } from "./failures.ts"
import { type Key, keyOf, keys, number, onlyIf, requestOf, text } from "./items.ts"
import { collect, get, inParallel, query } from "./reading.ts"

/** How much longer an execution is kept while its notifications are owed, in ms: 30 days. */
const keptLonger = 30 * 24 * 60 * 60 * 1_000

/** Deletes items, 25 in a call. */
const deleteAll = async (database: Database, gone: ReadonlyArray<Key>): Promise<void> => {
  const batches: Array<ReadonlyArray<Key>> = []
  for (let from = 0; from < gone.length; from += 25) batches.push(gone.slice(from, from + 25))
  await inParallel(batches, async (batch) => {
    let left: ReadonlyArray<WriteRequest> = batch.map((key) => ({ DeleteRequest: { Key: keyOf(key) } }))
    while (left.length > 0) {
      const { answer } = await database.repeated((client) =>
        client.batchWriteItem({ RequestItems: { [database.table]: [...left] } })
      )
      left = answer.UnprocessedItems?.[database.table] ?? []
    }
  })
}

/**
 * Deletes finished executions that were requested before a time, oldest first, and returns how many.
 *
 * *Details*: the events go first and the state last, so that what was begun is found again. The entries of the log stay: they
 * are small, and expire.
 */
export const makePrune = (
  database: Database,
  outbox: {
    readonly owes: (stream: string) => Promise<boolean>
    readonly keysOf: (stream: string) => Promise<ReadonlyArray<Key>>
  }
) => {
  const one = async (stream: string, before: number): Promise<boolean> => {
    const state = await get(database, keys.state(stream))
    if (state === undefined || state["finished"]?.BOOL !== true) return false
    const { pk } = keys.state(stream)
    const deploymentId = text(state, "deploymentId")
    const requestedAt = number(state, "requestedAt")
    if (requestedAt >= before - keptLonger && (await outbox.owes(stream))) return false
    const notifications = await outbox.keysOf(stream)
    const stored = await collect(database, { pk, between: ["EVENTS#", "EVENTS#~"] })
    await deleteAll(
      database,
      stored.flatMap((item) => {
        const sk = text(item, "sk")
        const [, append, part] = sk.split("#")
        return [{ pk, sk }, ...(Number(part) === 0 ? [keys.ownEntry(deploymentId, Number(append))] : [])]
      })
    )
    await deleteAll(database, notifications)
    const TableName = database.table
    try {
      await database.transact(randomBytes(12).toString("hex"), [
        {
          Delete: {
            TableName,
            Key: keyOf(keys.state(stream)),
            ...onlyIf("#seq = :seq", { seq: number(state, "seq") })
          }
        },
        { Delete: { TableName, Key: keyOf(keys.listed(true, requestedAt, stream)) } },
        { Delete: { TableName, Key: keyOf(keys.ownListed(deploymentId, requestedAt, stream)) } }
      ])
      return true
    } catch (error) {
      // It went on meanwhile, or another process deleted it.
      if (cancellations(error)?.[0]?.Code === "ConditionalCheckFailed") return false
      throw error
    }
  }

  return async (before: number, limit: number): Promise<number> => {
    const { pk } = keys.listed(true, 0, "")
    const range = { pk, between: [requestOf(0, ""), requestOf(before - 1, "\u{10ffff}")] as const, page: limit }
    for await (const page of query(database, range)) {
      const pruned = await inParallel(
        page.map((item) => text(item, "stream")),
        (stream) => one(stream, before)
      )
      return pruned.filter(Boolean).length
    }
    return 0
  }
}
