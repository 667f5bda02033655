/**
 * The items of the table: their keys, and plain values in them.
 */
import type { AttributeValue } from "@aws-sdk/client-dynamodb"
import { deflateRawSync, inflateRawSync } from "node:zlib"
import { StoreFailure } from "./StoreFailure.ts"

type Value = string | number | boolean | Uint8Array | ReadonlyArray<string>

/** The attributes of an item as plain values. */
export type Plain = Readonly<Record<string, Value | undefined>>

export type Item = Record<string, AttributeValue>

// No interface: those lack the index signature of `Plain`.
export type Key = { readonly pk: string; readonly sk: string }

const padded = (value: number, digits: number): string => String(value).padStart(digits, "0")

/** The entry `position` of the log, in keys that sort by it. */
export const ordinal = (position: number): string => padded(position, 13)

/** The place of an execution in lists, by the time of its request. */
export const requestOf = (requestedAt: number, stream: string): string => `${padded(requestedAt, 15)}#${stream}`

/**
 * All keys.
 *
 * *Details*: a stream has its state, and its events by their position in the log. The log has an entry for each append: one
 * for all deployments together, and the same again in the log of its deployment. Each execution is listed twice: among all
 * unfinished or all finished ones, and in its deployment. `owed` is there as long as notifications are owed of a stream.
 */
export const keys = {
  table: { pk: "META", sk: "TABLE" },
  counter: { pk: "META", sk: "COUNTER" },
  state: (stream: string): Key => ({ pk: `STREAM#${stream}`, sk: "STATE" }),
  events: (stream: string, position: number, part: number): Key => ({
    pk: `STREAM#${stream}`,
    sk: `EVENTS#${ordinal(position)}#${padded(part, 3)}`
  }),
  entry: (position: number): Key => ({ pk: "LOG", sk: ordinal(position) }),
  ownEntry: (deployment: string, position: number): Key => ({
    pk: `DEPLOYMENT#${deployment}#LOG`,
    sk: ordinal(position)
  }),
  listed: (finished: boolean, requestedAt: number, stream: string): Key => ({
    pk: finished ? "FINISHED" : "UNFINISHED",
    sk: requestOf(requestedAt, stream)
  }),
  ownListed: (deployment: string, requestedAt: number, stream: string): Key => ({
    pk: `DEPLOYMENT#${deployment}#EXECUTIONS`,
    sk: requestOf(requestedAt, stream)
  }),
  deployment: (id: string): Key => ({ pk: "DEPLOYMENTS", sk: id }),
  environment: (id: string, environment: string): Key => ({ pk: `DEPLOYMENT#${id}#ENVIRONMENTS`, sk: environment }),
  lease: (key: string): Key => ({ pk: `LEASE#${key}`, sk: "LEASE" }),
  held: (key: string): Key => ({ pk: "HELD", sk: key }),
  owed: (stream: string): Key => ({ pk: "OWED", sk: stream }),
  mark: (stream: string): Key => ({ pk: `STREAM#${stream}`, sk: "MARK" }),
  delivery: (stream: string, id: string): Key => ({ pk: `DELIVERIES#${stream}`, sk: id }),
  deliveryPlace: (id: string): Key => ({ pk: `DELIVERY#${id}`, sk: "PLACE" }),
  listedDelivery: (createdAt: number, seq: number, id: string): Key => ({
    pk: "DELIVERIES",
    sk: `${padded(createdAt, 15)}#${padded(seq, 9)}#${id}`
  }),
  due: (at: number, id: string): Key => ({ pk: "DUE", sk: `${padded(at, 16)}#${id}` })
}

const attribute = (value: Value): AttributeValue => {
  if (typeof value === "string") return { S: value }
  if (typeof value === "number") return { N: String(value) }
  if (typeof value === "boolean") return { BOOL: value }
  if (value instanceof Uint8Array) return { B: value }
  return { L: (value as ReadonlyArray<string>).map((S) => ({ S })) }
}

/** An item, or the values of an expression; values that are undefined are left out. */
export const attributes = (plain: Plain): Item =>
  Object.fromEntries(
    Object.entries(plain).flatMap(([name, value]) => (value === undefined ? [] : [[name, attribute(value)]]))
  )

/** The key of an item, as the client wants it. */
export const keyOf = ({ pk, sk }: Key): Item => attributes({ pk, sk })

const corrupt = (item: Item, name: string): StoreFailure =>
  new StoreFailure("Corrupt", `item ${item["pk"]?.S}/${item["sk"]?.S} has no readable ${name}`)

export const text = (item: Item, name: string): string => {
  const value = item[name]?.S
  if (value === undefined) throw corrupt(item, name)
  return value
}

export const number = (item: Item, name: string): number => {
  const value = Number(item[name]?.N)
  if (Number.isNaN(value)) throw corrupt(item, name)
  return value
}

export const texts = (item: Item, name: string): ReadonlyArray<string> =>
  (item[name]?.L ?? []).map((value) => value.S ?? "")

/** Texts above this size are stored compressed: smaller ones cost one unit anyway. */
const compressedFrom = 600

/** The largest value that is stored: an item has at most 400 KB, with its other attributes. */
export const largest = 380 * 1024

/** A text that may be long. */
export const packed = (value: string): string | Uint8Array =>
  value.length < compressedFrom ? value : deflateRawSync(value)

export const sizeOf = (value: string | Uint8Array): number =>
  typeof value === "string" ? Buffer.byteLength(value) : value.byteLength

/** A long text of a single item. `what` names it if it is too large. */
export const packedWithin = (value: string, what: string): string | Uint8Array => {
  const result = packed(value)
  if (sizeOf(result) <= largest) return result
  const size = Math.round(sizeOf(result) / 1024)
  throw new StoreFailure(
    "Full",
    `${what} has ${size} KB compressed, and DynamoDB stores at most ${largest / 1024} KB of it`
  )
}

export const unpacked = (item: Item, name: string): string => {
  const { B, S } = item[name] ?? ({} as { readonly B?: Uint8Array; readonly S?: string })
  if (S !== undefined) return S
  if (B === undefined) throw corrupt(item, name)
  return inflateRawSync(B).toString("utf8")
}

/** The names and values of an expression: `#name` stands for an attribute, since many names are reserved, and `:name` for a value. */
export const expression = (condition: string, values: Plain = {}) => {
  const names = Object.fromEntries([...condition.matchAll(/#(\w+)/g)].map(([alias, name]) => [alias, name!]))
  const all = attributes(Object.fromEntries(Object.entries(values).map(([name, value]) => [`:${name}`, value])))
  return {
    ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
    ...(Object.keys(all).length === 0 ? {} : { ExpressionAttributeValues: all })
  }
}

/** A write that happens only if a condition holds. */
export const onlyIf = (condition: string, values: Plain = {}) => ({
  ConditionExpression: condition,
  ...expression(condition, values)
})
