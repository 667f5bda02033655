/**
 * Lists of executions, latest first. They read the lists of the base table, and then the states of a page.
 */
import type { ExecutionRow, ExecutionRowQuery } from "@signalbox/core/plugin"
import type { Database } from "./Database.ts"
import { type Item, keys, requestOf, text } from "./items.ts"
import { executionOf } from "./read.ts"
import { getAll, query } from "./reading.ts"

const among = (values: ReadonlyArray<string> | undefined, value: string) =>
  values === undefined || values.includes(value)

/** The fields by which executions are found. */
type Listed = Pick<ExecutionRow, "stream" | "environment" | "kind" | "status" | "finished" | "search">

const listedOf = (item: Item): Listed => ({
  stream: text(item, "stream"),
  environment: text(item, "environment"),
  kind: text(item, "kind"),
  status: text(item, "status"),
  finished: item["finished"]?.BOOL === true,
  search: text(item, "search")
})

const matches = (wanted: ExecutionRowQuery) => (row: Listed) =>
  (wanted.environment === undefined || row.environment === wanted.environment) &&
  among(wanted.statuses, row.status) &&
  among(wanted.kinds, row.kind) &&
  (wanted.finished === undefined || row.finished === wanted.finished) &&
  (wanted.text === undefined || row.search.includes(wanted.text))

type Place = readonly [sk: string, row: Listed]

/** Merges lists that are each in descending order. */
async function* merged(lists: ReadonlyArray<AsyncGenerator<Place>>): AsyncGenerator<Place> {
  const heads = await Promise.all(lists.map((list) => list.next()))
  for (;;) {
    let best: number | undefined
    for (const [index, { done, value }] of heads.entries()) {
      if (done === true) continue
      if (best === undefined || value[0] > heads[best]!.value[0]) best = index
    }
    if (best === undefined) return
    yield heads[best]!.value
    heads[best] = await lists[best]!.next()
  }
}

/** Finds executions. */
export const makeExecutions = (database: Database) => {
  async function* list(pk: string, wanted: ExecutionRowQuery): AsyncGenerator<Place> {
    const { before, since = 0, until } = wanted
    const latest = [
      ...(before === undefined ? [] : [requestOf(before.requestedAt, before.stream)]),
      // Sorts behind every stream of that time.
      ...(until === undefined ? [] : [requestOf(until, "\u{10ffff}")])
    ].sort()[0]
    const between = [requestOf(Math.max(0, since), ""), latest ?? "~"] as const
    const page = Math.min(1_000, Math.max(25, wanted.limit))
    for await (const items of query(database, { pk, between, descending: true, page })) {
      for (const item of items) {
        const sk = text(item, "sk")
        if (before !== undefined && sk === requestOf(before.requestedAt, before.stream)) continue
        const row = listedOf(item)
        if (matches(wanted)(row)) yield [sk, row]
      }
    }
  }

  return async (wanted: ExecutionRowQuery): Promise<ReadonlyArray<ExecutionRow>> => {
    const listsOf = [true, false].filter((finished) => wanted.finished === undefined || wanted.finished === finished)
    const places =
      wanted.deploymentId === undefined
        ? merged(listsOf.map((finished) => list(keys.listed(finished, 0, "").pk, wanted)))
        : list(keys.ownListed(wanted.deploymentId, 0, "").pk, wanted)
    const found: Array<ExecutionRow> = []
    const read = async (streams: ReadonlyArray<string>) => {
      const items = await getAll(database, streams.map(keys.state))
      // What changed since it was listed is judged again.
      for (const item of items) if (item !== undefined && matches(wanted)(listedOf(item))) found.push(executionOf(item))
    }
    let page: Array<string> = []
    for await (const [, { stream }] of places) {
      page.push(stream)
      if (found.length + page.length < wanted.limit && page.length < 100) continue
      await read(page)
      page = []
      if (found.length >= wanted.limit) return found.slice(0, wanted.limit)
    }
    await read(page)
    return found
  }
}
