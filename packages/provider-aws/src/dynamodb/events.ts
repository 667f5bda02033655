/**
 * Events, as they are stored.
 */
import type { EventRow, EventRowQuery, NewEventRow } from "@signalbox/core/plugin"
import { type Item, largest, number, packed, type Plain, sizeOf, text, unpacked } from "./items.ts"
import { perAppend } from "./Log.ts"
import { StoreFailure } from "./StoreFailure.ts"

type Stored = readonly [id: string, at: number, tag: string, body: string]

/** One item: `from` is the place of its first event in the append, and `seq` the number of that event. */
export type Pack = Plain & { readonly from: number; readonly seq: number }

const packOf = (events: ReadonlyArray<NewEventRow>, from: number): Pack => ({
  from,
  seq: events[0]!.seq,
  deploymentId: events[0]!.deploymentId,
  environment: events[0]!.environment ?? undefined,
  events: packed(JSON.stringify(events.map(({ at, body, id, tag }): Stored => [id, at, tag, body])))
})

/** What a transaction holds, without the states that it writes too. */
const largestAppend = 3 * 1024 * 1024

/** The events of an append, in as few items as possible. */
export const packEvents = (events: ReadonlyArray<NewEventRow>): ReadonlyArray<Pack> => {
  const packs = divided(events, 0)
  const size = packs.reduce((sum, pack) => sum + sizeOf(pack["events"] as string | Uint8Array), 0)
  if (size <= largestAppend) return packs
  throw new StoreFailure(
    "Full",
    `${events.length} events have ${Math.round(size / 1024)} KB compressed, and DynamoDB writes at most ${largestAppend / 1024} KB of them at once`
  )
}

/** Divides what does not fit into one item. */
const divided = (events: ReadonlyArray<NewEventRow>, from: number): ReadonlyArray<Pack> => {
  const pack = packOf(events, from)
  const size = sizeOf(pack["events"] as string | Uint8Array)
  if (size <= largest) return [pack]
  if (events.length === 1) {
    throw new StoreFailure(
      "Full",
      `event ${events[0]!.id} has ${Math.round(size / 1024)} KB compressed, and DynamoDB stores at most ${largest / 1024} KB of it`
    )
  }
  const half = Math.ceil(events.length / 2)
  return [...divided(events.slice(0, half), from), ...divided(events.slice(half), from + half)]
}

/** The events of an item. */
export const unpackEvents = (item: Item): ReadonlyArray<EventRow> => {
  const stream = text(item, "pk").slice("STREAM#".length)
  const append = Number(text(item, "sk").split("#")[1])
  const from = number(item, "from")
  const seq = number(item, "seq")
  const deploymentId = text(item, "deploymentId")
  const environment = item["environment"]?.S ?? null
  const stored = JSON.parse(unpacked(item, "events")) as ReadonlyArray<Stored>
  return stored.map(([id, at, tag, body], index) => ({
    stream,
    seq: seq + index,
    position: append * perAppend + from + index,
    id,
    at,
    tag,
    deploymentId,
    environment,
    body
  }))
}

/** Whether an event is one that a query asks for. */
export const matches = (query: EventRowQuery): ((row: EventRow) => boolean) => {
  const text = query.text?.toLowerCase()
  return (row) =>
    row.position > query.after &&
    (query.stream === undefined || row.stream === query.stream) &&
    (query.deploymentId === undefined || row.deploymentId === query.deploymentId) &&
    (query.environment === undefined || row.environment === query.environment) &&
    (query.tags === undefined || query.tags.includes(row.tag)) &&
    (query.since === undefined || row.at >= query.since) &&
    (query.until === undefined || row.at <= query.until) &&
    (text === undefined || row.body.toLowerCase().includes(text))
}
