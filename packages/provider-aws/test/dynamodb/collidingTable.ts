import type { TransactWriteItemsCommandInput } from "@aws-sdk/client-dynamodb"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"
import { setTimeout as sleep } from "node:timers/promises"

/** How long a transaction of DynamoDB takes, about, in ms. */
const duration = 10

/**
 * A way to the emulator on which transactions collide as in DynamoDB: a transaction is cancelled if another one is in progress
 * on one of its items, and so is a single write. The emulator itself does one after the other.
 */
export const collidingTable = async (target: string) => {
  const inProgress = new Set<string>()
  const counts = { calls: 0, collisions: 0 }

  const itemsOf = (operation: string, body: string): ReadonlyArray<string> => {
    const identity = (key: object = {}) =>
      JSON.stringify(["pk", "sk"].map((name) => (key as Record<string, unknown>)[name]))
    const input = JSON.parse(body)
    if (operation === "TransactWriteItems") {
      return (input as TransactWriteItemsCommandInput).TransactItems!.map(({ ConditionCheck, Delete, Put, Update }) =>
        identity(Put?.Item ?? (ConditionCheck ?? Delete ?? Update)?.Key)
      )
    }
    return ["PutItem", "UpdateItem", "DeleteItem"].includes(operation) ? [identity(input.Item ?? input.Key)] : []
  }

  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1)!
    const items = itemsOf(operation, body.toString())
    const hit = items.map((item) => inProgress.has(item))
    counts.calls += 1
    if (hit.includes(true)) {
      counts.collisions += 1
      const CancellationReasons = hit.map((collides) => ({ Code: collides ? "TransactionConflict" : "None" }))
      const name = operation === "TransactWriteItems" ? "TransactionCanceledException" : "TransactionConflictException"
      response.writeHead(400, { "content-type": "application/x-amz-json-1.0" })
      response.end(JSON.stringify({ __type: name, message: "collision", CancellationReasons }))
      return
    }
    const isTransaction = operation === "TransactWriteItems"
    if (isTransaction) for (const item of items) inProgress.add(item)
    try {
      if (isTransaction) await sleep(duration)
      const { connection: _, "content-length": __, host: ___, ...headers } = request.headers
      const answer = await fetch(new URL(request.url!, target), {
        method: "POST",
        headers: headers as Record<string, string>,
        body: new Uint8Array(body)
      })
      response.writeHead(answer.status, {
        "content-type": "application/x-amz-json-1.0",
        date: answer.headers.get("date")!
      })
      response.end(Buffer.from(await answer.arrayBuffer()))
    } catch {
      response.destroy()
    } finally {
      if (isTransaction) for (const item of items) inProgress.delete(item)
    }
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, counts, close }
}
