/** The evidence after a race: the log in the database, the register, and the injected faults. */
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { type Note, notesOf } from "./notes.ts"
import { type Entry, Register } from "./Register.ts"

export interface Logged {
  readonly position: number
  readonly stream: string
  readonly tag: string
  readonly at: number
  readonly body: { readonly on?: string; readonly fence?: number; readonly supersedes?: string }
}

/** A fault of a worker. A stopped one continues at `to`, a killed one when its successor reports that it is up. */
export interface Fault {
  readonly worker: number
  readonly kind: "kill" | "stop"
  readonly from: number
  readonly to: number
  /** Whether it had the lock. */
  readonly held: boolean
}

export interface Evidence {
  readonly processes: number
  readonly rounds: number
  readonly ttl: number
  readonly log: ReadonlyArray<Logged>
  readonly entries: ReadonlyArray<Entry>
  readonly faults: ReadonlyArray<Fault>
  readonly notes: ReadonlyArray<ReadonlyArray<Note>>
  /** The workers that ended by themselves, as they should. */
  readonly finished: ReadonlyArray<number>
}

const tags = "'ExecutionRequested', 'ExecutionAdmitted', 'LeaseAcquired', 'ExecutionTransitioned'"

const readLog = (folder: string): ReadonlyArray<Logged> => {
  const database = new DatabaseSync(join(folder, "signalbox.db"), { readOnly: true, timeout: 30_000 })
  try {
    const rows = database
      .prepare(`SELECT position, stream, tag, at, body FROM signalbox_events WHERE tag IN (${tags}) ORDER BY position`)
      .all() as unknown as ReadonlyArray<Omit<Logged, "body"> & { readonly body: string }>
    return rows.map((row) => ({ ...row, body: JSON.parse(row.body) as Logged["body"] }))
  } finally {
    database.close()
  }
}

export const gather = (
  folder: string,
  known: Pick<Evidence, "processes" | "rounds" | "ttl" | "faults" | "finished">
): Evidence => {
  const register = new Register(join(folder, "register.db"))
  const entries = register.entries()
  register.close()
  return {
    ...known,
    log: readLog(folder),
    entries,
    notes: Array.from({ length: known.processes }, (_, worker) => notesOf(folder, worker))
  }
}
