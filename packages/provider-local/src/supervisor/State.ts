/**
 * The supervisor's state for recovery after a crash, and the ledger of its effects. Files are private (0600) and
 * replaced atomically; secrets are never written here.
 */
import { appendFileSync, closeSync, openSync, readFileSync, statSync, readSync } from "node:fs"
import { open, rename } from "node:fs/promises"
import { join } from "node:path"
import type { ReleaseRecord, StackKey } from "./Protocol.ts"

export interface InstanceRecord {
  readonly id: string
  readonly releaseId: string
  readonly createdAt: number
  port: number
  /** Null from the intent to start it until it is known to run. */
  pid: number | null
  started: string | null
  restarts: number
  /** Is being drained and stopped. */
  retiring: boolean
}

export interface KnownRelease extends ReleaseRecord {
  /** The wanted number of instances. */
  wanted: number
  usedAt: number
}

export interface StackState extends StackKey {
  port: number
  stable: string | null
  candidate: string | null
  weights: Record<string, number>
  releases: Record<string, KnownRelease>
  instances: Array<InstanceRecord>
  lastChangedAt: number
  /** A rolling restart in progress: the instances that still have to be replaced. */
  restarting: { readonly key: string; left: Array<string> } | null
  /** The key of the last recorded effect. */
  begun: string | null
}

/** What outlives a destroyed stack: the highest fence and the last keys, so that a late repeat finds them. */
export interface Memory {
  fence: number
  done: Array<string>
}

export interface LedgerEntry extends StackKey {
  readonly n: number
  readonly at: number
  readonly operation: string
  readonly releaseId: string | null
  readonly fence: number
  readonly idempotencyKey: string
}

export interface State {
  readonly version: 1
  stacks: Record<string, StackState>
  memory: Record<string, Memory>
  ledger: number
  /** Entries that may not have reached the ledger yet. */
  pending: Array<LedgerEntry>
}

const rememberedKeys = 200

export const keyOf = (key: StackKey): string => `${key.deploymentId}/${key.environment}/${key.stack}`

/** The highest fence that any stack of the environment has seen: the lease is on the environment. */
export const fenceIn = (state: State, { deploymentId, environment }: Omit<StackKey, "stack">): number => {
  const place = keyOf({ deploymentId, environment, stack: "" })
  const seen = Object.entries(state.memory).map(([key, { fence }]) => (key.startsWith(place) ? fence : 0))
  return Math.max(0, ...seen)
}

const pathIn = (directory: string): string => join(directory, "state.json")

/** The last written state, empty if there is none. Changes nothing. */
export const readState = (directory: string): State => {
  let text: string
  try {
    text = readFileSync(pathIn(directory), "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error
    return { version: 1, stacks: {}, memory: {}, ledger: 0, pending: [] }
  }
  const state = JSON.parse(text) as State
  if (state.version !== 1) throw new Error(`${pathIn(directory)} was written by a newer version`)
  return state
}

export class StateFile {
  readonly directory: string
  readonly state: State
  #writing: Promise<void> | undefined
  #next: Promise<void> | undefined
  /** The number of the last entry on disk: in the ledger, or in the state that will be written. */
  #written: number
  #cut = false

  constructor(directory: string) {
    this.directory = directory
    this.state = readState(directory)
    this.#written = this.state.ledger
    this.#recoverLedger()
  }

  memory(key: string): Memory {
    return (this.state.memory[key] ??= { fence: 0, done: [] })
  }

  fence(key: Omit<StackKey, "stack">): number {
    return fenceIn(this.state, key)
  }

  /** Forgets the fences and keys of an environment from a lost store. */
  forget(deploymentId: string, environment: string): void {
    const place = keyOf({ deploymentId, environment, stack: "" })
    for (const key of Object.keys(this.state.memory)) if (key.startsWith(place)) delete this.state.memory[key]
  }

  /** Records that the work of a key is done. If that fails, the work counts as not done: a repeat looks again. */
  async remember(key: string, idempotencyKey: string): Promise<void> {
    const memory = this.memory(key)
    const before = memory.done
    memory.done = [...before.filter((known) => known !== idempotencyKey), idempotencyKey].slice(-rememberedKeys)
    try {
      await this.save()
    } catch (error) {
      memory.done = before
      throw error
    }
  }

  /**
   * Records an effect; it reaches the ledger with the next `save`, exactly once, even if the supervisor is killed
   * meanwhile.
   */
  note(key: StackKey, entry: Pick<LedgerEntry, "operation" | "releaseId" | "fence" | "idempotencyKey">): void {
    const { deploymentId, environment, stack } = key
    this.state.pending.push({ n: ++this.state.ledger, at: Date.now(), deploymentId, environment, stack, ...entry })
  }

  /** Withdraws an effect of a key that never reached the disk. */
  withdraw(idempotencyKey: string): boolean {
    const { pending } = this.state
    const at = pending.findIndex((entry) => entry.n > this.#written && entry.idempotencyKey === idempotencyKey)
    if (at >= 0) pending.splice(at, 1)
    return at >= 0
  }

  /** Writes the current state, after any write that is in progress. */
  save(): Promise<void> {
    if (this.#writing === undefined) {
      this.#writing = this.#write().finally(() => {
        this.#writing = undefined
      })
      return this.#writing
    }
    this.#next ??= this.#writing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.save()
      })
    return this.#next
  }

  get #path(): string {
    return pathIn(this.directory)
  }

  get #ledger(): string {
    return join(this.directory, "ledger.ndjson")
  }

  async #write(): Promise<void> {
    const pending = this.state.pending.length
    const last = this.state.ledger
    const draft = `${this.#path}.draft`
    const file = await open(draft, "w", 0o600)
    try {
      await file.writeFile(JSON.stringify(this.state))
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(draft, this.#path)
    this.#written = last
    if (pending > 0) this.#flush(pending)
  }

  #flush(count: number): void {
    const lines = this.state.pending.slice(0, count).map((entry) => `${JSON.stringify(entry)}\n`)
    try {
      // A full disk may have truncated a line.
      appendFileSync(this.#ledger, `${this.#cut ? "\n" : ""}${lines.join("")}`, { mode: 0o600 })
    } catch (error) {
      this.#cut = true
      throw error
    }
    this.#cut = false
    this.state.pending.splice(0, count)
  }

  /** A crash between the state and the ledger: append what is missing, and end a truncated line. */
  #recoverLedger(): void {
    const tail = lastBytes(this.#ledger, 64 * 1024)
    if (tail !== "" && !tail.endsWith("\n")) appendFileSync(this.#ledger, "\n")
    const written = new Set(
      tail.split("\n").flatMap((line) => {
        try {
          return [(JSON.parse(line) as LedgerEntry).n]
        } catch {
          return []
        }
      })
    )
    this.state.pending = this.state.pending.filter(({ n }) => !written.has(n))
    this.#flush(this.state.pending.length)
  }
}

const lastBytes = (path: string, bytes: number): string => {
  let file: number
  try {
    file = openSync(path, "r")
  } catch {
    return ""
  }
  try {
    const { size } = statSync(path)
    const buffer = Buffer.alloc(Math.min(size, bytes))
    readSync(file, buffer, 0, buffer.length, Math.max(0, size - bytes))
    return buffer.toString("utf8")
  } finally {
    closeSync(file)
  }
}
