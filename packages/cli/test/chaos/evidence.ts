/** The records, read without the product's code: the event log, the supervisor's ledger, the preload's notes. */
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"

export interface Logged {
  readonly stream: string
  readonly seq: number
  readonly id: string
  readonly at: number
  readonly tag: string
  readonly body: Record<string, unknown>
}

export interface Entry {
  readonly n: number
  readonly at: number
  readonly stack: string
  readonly operation: string
  readonly fence: number
  readonly idempotencyKey: string
}

/** A boundary that a command reached, or an event that it had committed. */
export interface Note {
  readonly at?: number
  readonly pid?: number
  readonly label?: string
  readonly did?: string
  readonly committed?: string
  readonly stream?: string
  readonly seq?: number
}

const lines = <A>(file: string): ReadonlyArray<A> =>
  existsSync(file)
    ? readFileSync(file, "utf8")
        .split("\n")
        .flatMap((line) => {
          try {
            return [JSON.parse(line) as A]
          } catch {
            // Empty, or cut by the kill.
            return []
          }
        })
    : []

export const readNotes = (file: string): ReadonlyArray<Note> => lines<Note>(file)

export const readLedger = (folder: string): ReadonlyArray<Entry> =>
  lines<Entry>(join(folder, ".signalbox", "local", "ledger.ndjson"))

export const readLog = (folder: string, stream?: string): ReadonlyArray<Logged> => {
  const file = join(folder, ".signalbox", "signalbox.db")
  if (!existsSync(file)) return []
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 })
  try {
    const where = stream === undefined ? "stream <> ''" : "stream = ?"
    const rows = database
      .prepare(`SELECT stream, seq, id, at, tag, body FROM signalbox_events WHERE ${where} ORDER BY position`)
      .all(...(stream === undefined ? [] : [stream])) as Array<Record<string, unknown>>
    return rows.map((row) => ({ ...row, body: JSON.parse(String(row.body)) }) as unknown as Logged)
  } catch (error) {
    if (/no such table/.test(String(error))) return []
    throw error
  } finally {
    database.close()
  }
}

export interface Stacks {
  readonly [key: string]: {
    readonly stack: string
    readonly port: number
    readonly weights: Readonly<Record<string, number>>
    readonly releases: Readonly<Record<string, { readonly release: { readonly version: string } }>>
  }
}

/** What the supervisor holds, by its own state on the disk. */
export const readStacks = (folder: string): Stacks => {
  try {
    return (JSON.parse(readFileSync(join(folder, ".signalbox", "local", "state.json"), "utf8")) as { stacks: Stacks })
      .stacks
  } catch {
    return {}
  }
}

const endings = new Set(["completed", "failed", "rolled_back", "cancelled"])

/** How an execution ended by its log; undefined while it has not, or was never recorded. */
export const endOf = (log: ReadonlyArray<Logged>, stream: string): string | undefined =>
  log
    .filter((event) => event.stream === stream && event.tag === "ExecutionTransitioned")
    .map(({ body }) => String(body.on))
    .findLast((on) => endings.has(on))
