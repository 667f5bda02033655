import { DynamoDB } from "@aws-sdk/client-dynamodb"
import { afterAll, assert, describe, it } from "vitest"
import { openStore } from "../../src/dynamodb/store.ts"
import { endpoint } from "../emulator.ts"
import { collidingTable } from "./collidingTable.ts"
import { freshTable } from "./tables.ts"

const writers = 8
const appends = 5

const event = (stream: string, seq: number) => ({
  stream,
  seq,
  id: `${seq}`,
  at: 1,
  tag: "Test",
  deploymentId: stream,
  environment: null,
  body: "{}"
})

/** Writers that append to a stream each, at once. */
const each = async (append: (stream: string, n: number) => Promise<unknown>): Promise<number> => {
  const began = performance.now()
  await Promise.all(
    Array.from({ length: writers }, async (_, writer) => {
      for (let n = 0; n < appends; n++) await append(`w${writer}`, n)
    })
  )
  return performance.now() - began
}

describe.skipIf(endpoint === undefined)("writers of different streams", () => {
  it("never collide, as they do on a counter within their transactions", async () => {
    const measured: Record<string, string> = {}
    const through = async (
      name: string,
      work: (at: string, urlAt: (at: string) => string, table: string) => Promise<number>
    ) => {
      const { table, urlAt } = await freshTable()
      const { close, counts, url } = await collidingTable(endpoint!)
      afterAll(close)
      const took = await work(url, urlAt, table)
      const total = writers * appends
      measured[name] =
        `${(counts.calls / total).toFixed(1)} calls an append, ${counts.collisions} collisions, ${((1_000 * total) / took).toFixed(0)} appends/s`
      return counts
    }

    const own = await through("reserved", async (at, urlAt) => {
      const store = await openStore(urlAt(at))
      const took = await each((stream, n) =>
        store.commit({ stream, base: n, events: [event(stream, n + 1)], guards: [] })
      )
      await store.close?.()
      return took
    })
    assert.strictEqual(own.collisions, 0)

    // The obvious way: the number of an append is the counter's value, which its transaction raises.
    const plain = await through("counter", async (at, _, table) => {
      const client = new DynamoDB({ endpoint: at, maxAttempts: 1 })
      const key = { pk: { S: "COUNTER" }, sk: { S: "COUNTER" } }
      return each(async (stream) => {
        for (;;) {
          const { Item } = await client.getItem({ TableName: table, Key: key, ConsistentRead: true })
          const before = Item?.["n"]?.N
          const position = String(Number(before ?? 0) + 1)
          const isNext = before === undefined ? "attribute_not_exists(n)" : "n = :before"
          const values = { ":n": { N: position }, ...(before === undefined ? {} : { ":before": { N: before } }) }
          const counter = { TableName: table, Key: key, UpdateExpression: "SET n = :n", ConditionExpression: isNext }
          const item = { pk: { S: stream }, sk: { S: position } }
          try {
            await client.transactWriteItems({
              TransactItems: [
                { Update: { ...counter, ExpressionAttributeValues: values } },
                { Put: { TableName: table, Item: item } }
              ]
            })
            return
          } catch (error) {
            if ((error as Error).name !== "TransactionCanceledException") throw error
          }
        }
      })
    })
    assert.isAbove(plain.collisions, writers)
    if (process.env["SIGNALBOX_PRINT"]) console.log(measured)
  })
})
