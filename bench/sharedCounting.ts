/**
 * A way to the emulator of DynamoDB that counts calls, the units that AWS would bill, and the sizes of items as AWS counts them.
 */
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { buffer } from "node:stream/consumers"

type Value = Readonly<Record<string, unknown>>
type Item = Readonly<Record<string, Value>>

/** *Source*: "DynamoDB item sizes and formats" in the developer guide of DynamoDB. */
const valueBytes = (value: Value): number => {
  const [[type, content]] = Object.entries(value) as [[string, unknown]]
  if (type === "S") return Buffer.byteLength(content as string)
  if (type === "B") return Buffer.byteLength(content as string, "base64")
  if (type === "N") return Math.ceil((content as string).length / 2) + 1
  if (type === "L") return (content as ReadonlyArray<Value>).reduce((sum, one) => sum + valueBytes(one) + 1, 3)
  return 1
}

const itemBytes = (item: Item): number =>
  Object.entries(item).reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + valueBytes(value), 0)

/** The kinds of items that grow with a deployment. */
const kindOf = ({ pk, sk }: Item): string | undefined => {
  const [partition, sort] = [String(pk?.["S"]), String(sk?.["S"])]
  if (sort === "STATE") return "state"
  if (sort.startsWith("EVENTS#")) return "events"
  if (partition.endsWith("#ENVIRONMENTS")) return "environment"
  return undefined
}

/** What is read here of a request or a part of a transaction. */
interface Write {
  readonly Item?: Item
  readonly Key?: Item
  readonly ExpressionAttributeValues?: Item
}

interface Request extends Write {
  readonly TransactItems?: ReadonlyArray<Readonly<Record<string, Write>>>
}

interface Answer {
  readonly Item?: Item
  readonly Items?: ReadonlyArray<Item>
  readonly Responses?: Readonly<Record<string, ReadonlyArray<Item>>>
}

/** An item as far as a write shows it: an update has its key, and the values that it sets. */
const written = (write: Write): Item => write.Item ?? { ...write.Key, ...write.ExpressionAttributeValues }

const units = (bytes: number, unit: number): number => Math.max(1, Math.ceil(bytes / unit))

const sum = (values: ReadonlyArray<number>): number => values.reduce((total, value) => total + value, 0)

const readUnits = (operation: string, { Item = {}, Items = [], Responses = {} }: Answer): number => {
  if (operation === "GetItem") return units(itemBytes(Item), 4_096)
  if (operation === "Query") return units(sum(Items.map(itemBytes)), 4_096)
  const items = Object.values(Responses).flat()
  return sum(items.map((item) => units(itemBytes(item), 4_096)))
}

/** `waited` is how long the emulator had something to answer, in ms. `largest` is in bytes, by the kind of an item, and for a whole transaction. */
export interface Counted {
  calls: number
  waited: number
  sent: number
  received: number
  writes: number
  reads: number
  readonly by: Record<string, number>
  readonly largest: Record<string, number>
}

export const counting = async (target: string) => {
  const none = (): Counted => ({ calls: 0, waited: 0, sent: 0, received: 0, writes: 0, reads: 0, by: {}, largest: {} })
  let counted = none()
  let pending = 0
  let since = 0
  const keepLargest = (kind: string, bytes: number) =>
    void (counted.largest[kind] = Math.max(counted.largest[kind] ?? 0, bytes))
  const write = (one: Write, times: number): number => {
    const item = written(one)
    const bytes = itemBytes(item)
    const kind = kindOf(item)
    if (kind !== undefined) keepLargest(kind, bytes)
    counted.writes += times * units(bytes, 1_024)
    return bytes
  }
  const count = (operation: string, request: Request, answer: Answer) => {
    counted.by[operation] = (counted.by[operation] ?? 0) + 1
    if (operation === "TransactWriteItems") {
      const parts = (request.TransactItems ?? []).flatMap((part) => Object.values(part))
      keepLargest("transaction", sum(parts.map((part) => write(part, 2))))
    } else if (operation === "PutItem" || operation === "UpdateItem" || operation === "DeleteItem") write(request, 1)
    else counted.reads += readUnits(operation, answer)
  }
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    const operation = String(request.headers["x-amz-target"]).split(".").at(-1)!
    const { connection: _, "content-length": __, host: ___, ...headers } = request.headers
    if (pending++ === 0) since = performance.now()
    const answer = await fetch(target, { method: "POST", headers: headers as Record<string, string>, body })
    const answered = Buffer.from(await answer.arrayBuffer())
    if (--pending === 0) counted.waited += performance.now() - since
    counted.calls += 1
    counted.sent += body.byteLength
    counted.received += answered.byteLength
    count(operation, JSON.parse(body.toString()), JSON.parse(answered.toString()))
    const type = "application/x-amz-json-1.0"
    response.writeHead(answer.status, { "content-type": type, date: answer.headers.get("date")! }).end(answered)
  })
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** What was counted since the last time. */
    take: (): Counted => {
      const taken = counted
      counted = none()
      return taken
    },
    close: () => {
      server.close()
      server.closeAllConnections()
    }
  }
}
