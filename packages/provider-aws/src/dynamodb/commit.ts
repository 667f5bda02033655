/**
 * One append: one transaction, whatever the number of its events.
 */
import type { TransactWriteItem } from "@aws-sdk/client-dynamodb"
import type { Lease } from "@signalbox/core/spi"
import type { AppendOutcome, Commit, ExecutionRow } from "@signalbox/core/plugin"
import { randomBytes } from "node:crypto"
import type { Database } from "./Database.ts"
import { cancellations } from "./failures.ts"
import { packEvents } from "./events.ts"
import {
  attributes,
  expression,
  type Item,
  keyOf,
  keys,
  number,
  onlyIf,
  packedWithin,
  type Plain,
  text
} from "./items.ts"
import { type Entry, expiry, type Log, perAppend } from "./Log.ts"
import { get, getAll } from "./reading.ts"

/** What the lists show of an execution. */
const listing = (row: ExecutionRow): Plain => ({
  stream: row.stream,
  environment: row.environment,
  kind: row.kind,
  status: row.status,
  finished: row.finished,
  search: row.search
})

/** An item that a transaction writes or checks. `role` tells what it means if its condition does not hold. */
interface Part {
  readonly item: TransactWriteItem
  readonly role: "guard" | "state" | "entry" | "other"
  readonly guard?: Lease
}

const isHeld = (item: Item | undefined, guard: Lease, now: number): boolean =>
  item !== undefined &&
  number(item, "fence") === guard.fence &&
  text(item, "holder") === guard.holder &&
  number(item, "expiresAt") > now

/** Writes appends. It remembers what the lists show of recent executions, to write it only if it changes. */
export const makeCommit = (database: Database, log: Log) => {
  const TableName = database.table
  const shown = new Map<string, { readonly seq: number; readonly listing: string }>()
  const remember = (stream: string, seq: number, row: string) => {
    shown.delete(stream)
    shown.set(stream, { seq, listing: row })
    if (shown.size > 1_024) shown.delete(shown.keys().next().value!)
  }

  const put = (key: Plain, values: Plain, condition: object = {}): TransactWriteItem => ({
    Put: { TableName, Item: attributes({ ...key, ...values }), ...condition }
  })

  const guardParts = (guards: ReadonlyArray<Lease>): ReadonlyArray<Part> => {
    const now = database.clock.now()
    const distinct = new Map(guards.map((guard) => [`${guard.key}\n${guard.fence}\n${guard.holder}`, guard]))
    return [...distinct.values()].map((guard) => {
      const { fence, holder, key } = guard
      const condition = onlyIf("#fence = :fence AND #holder = :holder AND #expiresAt > :now", { fence, holder, now })
      return {
        role: "guard",
        guard,
        item: { ConditionCheck: { TableName, Key: keyOf(keys.lease(key)), ...condition } }
      }
    })
  }

  const statePart = ({ base, events, execution, stream }: Commit, deploymentId: string): Part => {
    const seq = base + events.length
    const condition = base === 0 ? "attribute_not_exists(#pk)" : "#seq = :base"
    const values = base === 0 ? {} : { base }
    if (execution === undefined && base > 0) {
      const update = "SET #seq = :seq"
      return {
        role: "state",
        item: {
          Update: {
            TableName,
            Key: keyOf(keys.state(stream)),
            UpdateExpression: update,
            ConditionExpression: condition,
            ...expression(`${update} ${condition}`, { ...values, seq })
          }
        }
      }
    }
    const row: Plain =
      execution === undefined
        ? { seq, deploymentId }
        : {
            seq,
            deploymentId,
            ...listing(execution),
            requestedAt: execution.requestedAt,
            generation: execution.generation,
            state: packedWithin(execution.state, `the state of execution ${stream}`)
          }
    return { role: "state", item: put(keys.state(stream), row, onlyIf(condition, values)) }
  }

  const listParts = ({ base, execution }: Commit): ReadonlyArray<Part> => {
    if (execution === undefined) return []
    const { deploymentId, finished, requestedAt, stream } = execution
    const row = listing(execution)
    const before = shown.get(stream)
    if (before?.seq === base && before.listing === JSON.stringify(row)) return []
    const other = { Delete: { TableName, Key: keyOf(keys.listed(!finished, requestedAt, stream)) } }
    return [
      { role: "other", item: put(keys.listed(finished, requestedAt, stream), row) },
      { role: "other", item: put(keys.ownListed(deploymentId, requestedAt, stream), row) },
      ...(base === 0 ? [] : [{ role: "other", item: other } as const])
    ]
  }

  const rowParts = ({ deployment, environment }: Commit): ReadonlyArray<Part> => [
    ...(environment === undefined
      ? []
      : [
          {
            role: "state",
            item: put(
              keys.environment(environment.deploymentId, environment.environment),
              {
                version: environment.version,
                generation: environment.generation,
                state: packedWithin(environment.state, `the state of environment ${environment.environment}`)
              },
              environment.version === 1
                ? onlyIf("attribute_not_exists(#pk)")
                : onlyIf("#version = :version", { version: environment.version - 1 })
            )
          } as const
        ]),
    ...(deployment === undefined
      ? []
      : [
          {
            role: "other",
            item: put(keys.deployment(deployment.deploymentId), {
              createdAt: deployment.createdAt,
              generation: deployment.generation,
              state: packedWithin(deployment.state, `the state of deployment ${deployment.deploymentId}`)
            })
          } as const
        ])
  ]

  const owedParts = ({ owed, stream }: Commit): ReadonlyArray<Part> => {
    if (owed === undefined) return []
    const update = "SET #stream = :stream, #deploymentId = :deploymentId, #seq = :seq, #at = if_not_exists(#at, :at)"
    return [
      {
        role: "other",
        item: {
          Update: {
            TableName,
            Key: keyOf(keys.owed(stream)),
            UpdateExpression: update,
            ...expression(update, { stream, ...owed })
          }
        }
      }
    ]
  }

  const eventParts = (
    commit: Commit,
    id: string,
    packs: ReturnType<typeof packEvents>,
    entry: Entry
  ): ReadonlyArray<Part> => {
    const { append, stream: _, ...rest } = entry
    const values: Plain = { ...rest, stream: commit.stream }
    return [
      {
        role: "entry",
        item: put(keys.entry(append), { ...values, ttl: expiry(database) }, onlyIf("attribute_not_exists(#pk)"))
      },
      { role: "other", item: put(keys.ownEntry(entry.deploymentId!, append), values) },
      ...packs.map(
        (pack, part) =>
          ({ role: "other", item: put(keys.events(commit.stream, append, part), { ...pack, commit: id }) }) as const
      )
    ]
  }

  /** Guards alone: nothing is written. */
  const check = async (guards: ReadonlyArray<Lease>): Promise<AppendOutcome> => {
    const items = await getAll(
      database,
      guards.map(({ key }) => keys.lease(key))
    )
    const now = database.clock.now()
    const guard = guards.find((lease, index) => !isHeld(items[index], lease, now))
    return guard === undefined ? { _tag: "Committed", positions: [] } : { _tag: "Lost", guard }
  }

  /** Whether an earlier attempt of this commit was written although its answer was lost. */
  const written = async (stream: string, id: string, appends: ReadonlyArray<number>): Promise<number | undefined> => {
    for (const append of appends) {
      const item = await get(database, keys.events(stream, append, 0))
      if (item !== undefined && text(item, "commit") === id) return append
    }
    return undefined
  }

  return async (commit: Commit): Promise<AppendOutcome> => {
    const { base, events, execution, guards, stream } = commit
    if (events.length === 0) return check(guards)
    const { deploymentId, environment } = events[0]!
    const id = randomBytes(12).toString("hex")
    const packs = packEvents(events)
    const tried: Array<number> = []
    const committed = (append: number): AppendOutcome => {
      if (execution !== undefined) remember(stream, base + events.length, JSON.stringify(listing(execution)))
      else if (shown.get(stream)?.seq === base) remember(stream, base + events.length, shown.get(stream)!.listing)
      return { _tag: "Committed", positions: events.map((_, index) => append * perAppend + index) }
    }
    for (let isRepeated = false; ;) {
      const { append, takenAt } = await log.take()
      const entry: Entry = {
        append,
        takenAt,
        count: events.length,
        stream,
        deploymentId,
        parts: packs.length,
        tags: [...new Set(events.map(({ tag }) => tag))],
        ...(environment === null ? {} : { environment })
      }
      tried.push(append)
      const parts: ReadonlyArray<Part> = [
        ...guardParts(guards),
        statePart(commit, deploymentId),
        ...eventParts(commit, id, packs, entry),
        ...listParts(commit),
        ...rowParts(commit),
        ...owedParts(commit)
      ]
      try {
        await database.transact(
          `${id}-${tried.length}`,
          parts.map(({ item }) => item)
        )
        return committed(append)
      } catch (error) {
        const reasons = cancellations(error)
        if (reasons === undefined) throw error
        const failed = parts.filter((_, index) => reasons[index]?.Code === "ConditionalCheckFailed")
        if (failed.length === 0) throw error
        isRepeated ||= (error as { readonly repeats?: number }).repeats !== 0
        const before = isRepeated ? await written(stream, id, tried) : undefined
        if (before !== undefined) return committed(before)
        const guard = failed.find(({ role }) => role === "guard")?.guard
        const isStale = failed.some(({ role }) => role === "state")
        // Readers need not wait for this number.
        if (guard !== undefined || isStale) await log.giveUp(append).catch(() => undefined)
        if (guard !== undefined) return { _tag: "Lost", guard }
        if (isStale) return { _tag: "Stale" }
        // Only the entry was there: a reader did not wait for this writer any longer.
      }
    }
  }
}
