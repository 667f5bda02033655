/**
 * The shared resource of the race: it refuses a fence smaller than the largest that it has seen, as a provider does,
 * and remembers accepted and refused fences.
 */
import { DatabaseSync } from "node:sqlite"

export type Word = "begin" | "work" | "end"

export interface Entry {
  readonly execution: string
  readonly fence: number
  readonly word: Word
  /** By the wall clock, which all processes of a machine share. */
  readonly at: number
  readonly accepted: boolean
}

interface Row extends Omit<Entry, "accepted"> {
  readonly accepted: number
}

const table = `CREATE TABLE IF NOT EXISTS entries (
  seq INTEGER PRIMARY KEY, execution TEXT NOT NULL, fence INTEGER NOT NULL, word TEXT NOT NULL, at INTEGER NOT NULL,
  accepted INTEGER NOT NULL
)`

export class Register {
  readonly #database: DatabaseSync

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 30_000 })
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; ${table}`)
  }

  /** One statement, so that no other process comes between the check and the entry. Returns whether it was accepted. */
  enter({ at, execution, fence, word }: Omit<Entry, "accepted">): boolean {
    const row = this.#database
      .prepare(
        `INSERT INTO entries (execution, fence, word, at, accepted)
         SELECT ?, ?, ?, ?, ? >= (SELECT coalesce(max(fence), 0) FROM entries WHERE accepted = 1) RETURNING accepted`
      )
      .get(execution, fence, word, at, fence) as { readonly accepted: number }
    return row.accepted === 1
  }

  /** All of them, in the order in which they came. */
  entries(): ReadonlyArray<Entry> {
    const rows = this.#database
      .prepare("SELECT execution, fence, word, at, accepted FROM entries ORDER BY seq")
      .all() as unknown as ReadonlyArray<Row>
    return rows.map((row) => ({ ...row, accepted: row.accepted === 1 }))
  }

  close(): void {
    this.#database.close()
  }
}
