/**
 * The order of all appends.
 *
 * *Details*: a writer first takes the next number of the counter, and then writes its entry under this number in its
 * transaction, if no entry is there. So no transaction touches the counter, and numbers become visible out of order: a
 * reader stops at the first one that is missing. If a later number was taken more than two seconds ago, the reader
 * closes the gap with an entry without events; a writer that is still on its way finds it there, and takes another
 * number.
 */
import type { Database } from "./Database.ts"
import { conditionFailed } from "./failures.ts"
import { attributes, expression, type Item, keyOf, keys, number, onlyIf, ordinal, text, texts } from "./items.ts"
import { collect, inParallel, query } from "./reading.ts"

/** Positions of events: the number of their append, and their number within it, of at most 1,000. */
export const perAppend = 1_024

/** How long a number may be missing, in ms. */
const patience = 2_000

/** How many numbers go by before the known end of the complete log is written down for later readers. */
const writtenDownEvery = 100

/** How long an entry is kept, in seconds. Readers across streams follow the log; they do not begin 90 days ago. */
const keptFor = 90 * 24 * 3_600

/** When an item with a time to live may be deleted, in seconds since 1970. */
export const expiry = ({ clock }: Database): number => Math.floor(clock.now() / 1_000) + keptFor

/** One append, as the log has it. `stream` is undefined if the number was given up. */
export interface Entry {
  readonly append: number
  readonly takenAt: number
  readonly count: number
  readonly stream?: string
  readonly deploymentId?: string
  readonly environment?: string
  readonly parts?: number
  readonly tags?: ReadonlyArray<string>
}

const entryOf = (item: Item): Entry => ({
  append: Number(text(item, "sk")),
  takenAt: number(item, "takenAt"),
  ...(item["stream"] === undefined
    ? { count: 0 }
    : {
        count: number(item, "count"),
        stream: text(item, "stream"),
        deploymentId: text(item, "deploymentId"),
        parts: number(item, "parts"),
        tags: texts(item, "tags"),
        ...(item["environment"] === undefined ? {} : { environment: text(item, "environment") })
      })
})

/** The last position of an append. */
const lastOf = ({ append, count }: Entry): number => append * perAppend + Math.max(0, count - 1)

/** The log of one table. `complete` is where it was known to be complete when the table was opened. */
export class Log {
  readonly #database: Database
  #complete: number
  #newest: number
  #writtenDown: number
  #seen = ""
  #reading: Promise<unknown> = Promise.resolve()

  constructor(database: Database, complete: number) {
    this.#database = database
    this.#complete = complete
    this.#writtenDown = complete
    this.#newest = complete === 0 ? 0 : complete * perAppend + perAppend - 1
  }

  /** Takes the next number, and tells when. */
  async take(): Promise<{ readonly append: number; readonly takenAt: number }> {
    const update = "ADD #taken :one"
    const { Attributes } = await this.#database.one("updateItem", {
      Key: keyOf(keys.counter),
      UpdateExpression: update,
      ...expression(update, { one: 1 }),
      ReturnValues: "UPDATED_NEW"
    })
    return { append: number(Attributes ?? {}, "taken"), takenAt: this.#database.clock.now() }
  }

  /**
   * Reads on from where the log is complete. `complete` is the last append before the first missing one, and `newest` the last
   * position in it; `version` differs whenever an append was written, also behind a missing one.
   */
  end(): Promise<{ readonly complete: number; readonly newest: number; readonly version: string }> {
    // One after the other, and not shared: a reader must see what was written before it began.
    const next = this.#reading.then(() => this.#readOn())
    this.#reading = next.catch(() => undefined)
    return next
  }

  /** Entries in order: of a deployment, or all. They end where the log is complete. */
  async *entries(deployment: string | undefined, from: number): AsyncGenerator<ReadonlyArray<Entry>> {
    const { complete } = await this.end()
    if (from > complete) return
    const { pk } = deployment === undefined ? keys.entry(0) : keys.ownEntry(deployment, 0)
    for await (const page of query(this.#database, { pk, between: [ordinal(from), ordinal(complete)] })) {
      yield page.map(entryOf)
    }
  }

  async #readOn() {
    const { pk } = keys.entry(0)
    const between = [ordinal(this.#complete + 1), ordinal(1e13 - 1)] as const
    const found = (await collect(this.#database, { pk, between })).map(entryOf)
    this.#seen = found.length === 0 ? this.#seen : `${found.at(-1)!.append}/${found.length}`
    const closed = await this.#close(found)
    for (const entry of [...found, ...closed].sort((left, right) => left.append - right.append)) {
      if (entry.append !== this.#complete + 1) break
      this.#complete = entry.append
      this.#newest = lastOf(entry)
    }
    if (this.#complete >= this.#writtenDown + writtenDownEvery) await this.#writeDown()
    return { complete: this.#complete, newest: this.#newest, version: `${this.#complete}/${this.#seen}` }
  }

  /** Closes the gaps before entries whose number was taken long enough ago. */
  async #close(found: ReadonlyArray<Entry>): Promise<ReadonlyArray<Entry>> {
    const before = this.#database.clock.now() - patience
    const last = found.findLast(({ takenAt }) => takenAt < before)?.append ?? 0
    const present = new Set(found.map(({ append }) => append))
    const missing: Array<number> = []
    for (let append = this.#complete + 1; append < last; append++) if (!present.has(append)) missing.push(append)
    return inParallel(missing, (append) => this.giveUp(append))
  }

  /** Closes a gap, unless its writer or another reader came first. */
  async giveUp(append: number): Promise<Entry> {
    const takenAt = this.#database.clock.now()
    try {
      await this.#database.one("putItem", {
        Item: attributes({ ...keys.entry(append), takenAt, ttl: expiry(this.#database) }),
        ...onlyIf("attribute_not_exists(#pk)"),
        ReturnValuesOnConditionCheckFailure: "ALL_OLD"
      })
      return { append, takenAt, count: 0 }
    } catch (error) {
      const failed = conditionFailed(error)
      if (failed?.item === undefined) throw error
      return entryOf(failed.item as Item)
    }
  }

  /** A later reader begins here. It may fail: then that reader reads more. */
  async #writeDown(): Promise<void> {
    const complete = this.#complete
    this.#writtenDown = complete
    const update = "SET #complete = :complete"
    const condition = "attribute_not_exists(#complete) OR #complete < :complete"
    await this.#database
      .one("updateItem", {
        Key: keyOf(keys.table),
        UpdateExpression: update,
        ConditionExpression: condition,
        ...expression(`${update} ${condition}`, { complete })
      })
      .catch(() => undefined)
  }
}
