/**
 * The queries of the store.
 */
import type {
  DeploymentRow,
  EnvironmentRow,
  EventRow,
  EventRowQuery,
  ExecutionRow,
  StreamHead
} from "@signalbox/core/plugin"
import type { Database } from "./Database.ts"
import { matches, unpackEvents } from "./events.ts"
import { type Item, keys, number, ordinal, text, unpacked } from "./items.ts"
import { type Entry, type Log, perAppend } from "./Log.ts"
import { collect, get, getAll, query } from "./reading.ts"

export const executionOf = (item: Item): ExecutionRow => ({
  stream: text(item, "stream"),
  deploymentId: text(item, "deploymentId"),
  environment: text(item, "environment"),
  kind: text(item, "kind"),
  status: text(item, "status"),
  finished: item["finished"]?.BOOL === true,
  requestedAt: number(item, "requestedAt"),
  search: text(item, "search"),
  generation: number(item, "generation"),
  state: unpacked(item, "state")
})

const deploymentOf = (item: Item): DeploymentRow => ({
  deploymentId: text(item, "sk"),
  createdAt: number(item, "createdAt"),
  generation: number(item, "generation"),
  state: unpacked(item, "state")
})

const environmentOf =
  (deploymentId: string) =>
  (item: Item): EnvironmentRow => ({
    deploymentId,
    environment: text(item, "sk"),
    version: number(item, "version"),
    generation: number(item, "generation"),
    state: unpacked(item, "state")
  })

const first = <A>(item: Item | undefined, decode: (item: Item) => A): A | undefined =>
  item === undefined ? undefined : decode(item)

/** Whether an append may hold events that a query asks for, as far as its entry tells. */
const mayMatch =
  (wanted: EventRowQuery) =>
  (entry: Entry): boolean =>
    entry.stream !== undefined &&
    (wanted.deploymentId === undefined || entry.deploymentId === wanted.deploymentId) &&
    (wanted.environment === undefined || entry.environment === wanted.environment) &&
    (wanted.tags === undefined || wanted.tags.some((tag) => entry.tags?.includes(tag)))

export const makeRead = (database: Database, log: Log) => {
  const eventsKeys = ({ append, parts = 0, stream = "" }: Entry) =>
    Array.from({ length: parts }, (_, part) => keys.events(stream, append, part))

  const isExecution = (item: Item): boolean => item["state"] !== undefined

  const deployment = async (id: string): Promise<DeploymentRow | undefined> =>
    first(await get(database, keys.deployment(id)), deploymentOf)

  /** The ids of the events after number `after`, of the first `seq` ones; reads from the newest back. */
  const idsBetween = async (stream: string, after: number, seq: number): Promise<ReadonlyArray<string>> => {
    const ids: Array<string> = []
    const { pk } = keys.state(stream)
    const range = { pk, between: ["EVENTS#", "EVENTS#~"] as const, descending: true, page: after === 0 ? 200 : 20 }
    for await (const page of query(database, range)) {
      for (const item of page) {
        const rows = unpackEvents(item).filter((row) => row.seq > after && row.seq <= seq)
        ids.push(...rows.map(({ id }) => id).reverse())
        if (number(item, "seq") <= after + 1) return ids.reverse()
      }
    }
    return ids.reverse()
  }

  const eventsOfStream = async (stream: string, wanted: EventRowQuery): Promise<ReadonlyArray<EventRow>> => {
    const found: Array<EventRow> = []
    const { pk } = keys.state(stream)
    const between = [`EVENTS#${ordinal(Math.floor(wanted.after / perAppend))}`, "EVENTS#~"] as const
    const page = wanted.limit > 100 ? {} : { page: wanted.limit + 1 }
    for await (const items of query(database, { pk, between, ...page })) {
      for (const item of items) found.push(...unpackEvents(item).filter(matches(wanted)))
      if (found.length >= wanted.limit) break
    }
    return found.slice(0, wanted.limit)
  }

  const eventsOfAll = async (wanted: EventRowQuery): Promise<ReadonlyArray<EventRow>> => {
    const found: Array<EventRow> = []
    for await (const page of log.entries(wanted.deploymentId, Math.floor(wanted.after / perAppend))) {
      const entries = page.filter(mayMatch(wanted))
      // An entry holds at least one event, and pages may be far larger than what is still wanted.
      for (let from = 0; from < entries.length && found.length < wanted.limit; from += 400) {
        const items = await getAll(database, entries.slice(from, from + 400).flatMap(eventsKeys))
        // Pruned events are gone, their entries are not.
        for (const item of items) if (item !== undefined) found.push(...unpackEvents(item).filter(matches(wanted)))
      }
      if (found.length >= wanted.limit) break
    }
    return found.slice(0, wanted.limit)
  }

  return {
    head: async (stream: string, after: number): Promise<StreamHead> => {
      const state = await get(database, keys.state(stream))
      if (state === undefined) {
        return { seq: 0, ids: [], continues: after === 0, execution: undefined, deployment: undefined }
      }
      const seq = number(state, "seq")
      const continues = seq >= after
      const from = continues ? after : 0
      const [ids, own] = await Promise.all([
        from === seq ? [] : idsBetween(stream, from, seq),
        isExecution(state) ? undefined : deployment(stream)
      ])
      return { seq, ids, continues, execution: isExecution(state) ? executionOf(state) : undefined, deployment: own }
    },
    events: (wanted: EventRowQuery): Promise<ReadonlyArray<EventRow>> =>
      wanted.stream === undefined ? eventsOfAll(wanted) : eventsOfStream(wanted.stream, wanted),
    execution: async (stream: string): Promise<ExecutionRow | undefined> => {
      const state = await get(database, keys.state(stream))
      return state === undefined || !isExecution(state) ? undefined : executionOf(state)
    },
    deployment,
    deployments: async (): Promise<ReadonlyArray<DeploymentRow>> => {
      const rows = (await collect(database, { pk: keys.deployment("").pk })).map(deploymentOf)
      return rows.sort(
        (left, right) => left.createdAt - right.createdAt || (left.deploymentId < right.deploymentId ? -1 : 1)
      )
    },
    environment: async (id: string, environment: string): Promise<EnvironmentRow | undefined> =>
      first(await get(database, keys.environment(id, environment)), environmentOf(id)),
    environments: async (id: string): Promise<ReadonlyArray<EnvironmentRow>> =>
      (await collect(database, { pk: keys.environment(id, "").pk })).map(environmentOf(id))
  }
}
