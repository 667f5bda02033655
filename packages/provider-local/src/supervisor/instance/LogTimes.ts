/**
 * When the lines of a log came. What writes a log knows no time, so the supervisor looks at the size of its file again
 * and again, and notes beside it which size it had when.
 */
import { appendFileSync, readFileSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs"
import type { Position } from "./LogReader.ts"

const lookMillis = 250
/** Beyond this number, every second note is left out: the lines before it get the time of the next one. */
const notesMax = 5000

/** The lines up to this place came by then; null: while no supervisor looked. */
type Note = readonly [inode: number, offset: number, at: number | null]

const notesOf = (log: string): string => `${log}.times`

const written = (notes: ReadonlyArray<Note>): string => notes.map((note) => `${JSON.stringify(note)}\n`).join("")

const read = (log: string): ReadonlyArray<Note> => {
  try {
    return readFileSync(notesOf(log), "utf8").split("\n").flatMap(parsed)
  } catch {
    return []
  }
}

/** A write may have been cut short. */
const parsed = (line: string): ReadonlyArray<Note> => {
  try {
    return [JSON.parse(line) as Note]
  } catch {
    return []
  }
}

const thinned = (notes: ReadonlyArray<Note>): ReadonlyArray<Note> =>
  notes.length < notesMax ? notes : notes.filter(([, , at], index) => at === null || index % 2 === 1)

/** Looks up when the line came that ends at a place; null where nothing tells. */
export const readTimes = (log: string): ((end: Position) => number | null) => {
  const byInode = Map.groupBy(read(log), ([inode]) => inode)
  return ({ inode, offset }) => {
    const notes = byInode.get(inode) ?? []
    let [low, high] = [0, notes.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (notes[middle]![1] < offset) low = middle + 1
      else high = middle
    }
    return notes[low]?.[2] ?? null
  }
}

/** Notes the times of a copy that was just written, line by line. */
export const writeTimes = (
  log: string,
  lines: ReadonlyArray<{ readonly text: string; readonly at: number | null }>
): void => {
  const { ino } = statSync(log)
  let offset = 0
  const notes = lines.map(({ at, text }): Note => {
    offset += Buffer.byteLength(text) + 1
    return [ino, offset, at]
  })
  writeFileSync(notesOf(log), written(notes), { mode: 0o600 })
}

export const deleteTimes = (log: string): void => rmSync(notesOf(log), { force: true })

/** Notes the times of one log while a supervisor runs. */
export class LogTimes {
  readonly #log: string
  /** The noted size of each of its files. */
  readonly #sizes: Map<number, number>
  #count: number
  #looked = false
  #deleted = false
  #timer: NodeJS.Timeout | undefined

  constructor(log: string) {
    this.#log = log
    const notes = read(log)
    this.#sizes = new Map(notes.map(([inode, offset]) => [inode, offset]))
    this.#count = notes.length
  }

  /** Looks from now on. */
  start(): void {
    this.look()
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.look(), lookMillis).unref()
  }

  /** Looks for the last time, until the next start. */
  stop(): void {
    clearInterval(this.#timer)
    this.look()
  }

  delete(): void {
    clearInterval(this.#timer)
    this.#deleted = true
    deleteTimes(this.#log)
  }

  /** A full disk is no reason to stop anything: what could not be noted is noted by a later look. */
  look(): void {
    if (this.#deleted) return
    try {
      this.#note()
    } catch {
      return
    }
    this.#looked = true
  }

  #note(): void {
    const files = this.#files()
    const gone = [...this.#sizes].flatMap(([inode, noted]) => ((files.get(inode)?.size ?? -1) < noted ? [inode] : []))
    const fresh = [...files].flatMap(([inode, { mtimeMs, size }]): ReadonlyArray<Note> => {
      const noted = gone.includes(inode) ? 0 : (this.#sizes.get(inode) ?? 0)
      return size > noted ? [[inode, size, this.#looked ? Math.floor(mtimeMs) : null]] : []
    })
    if (gone.length > 0 || this.#count + fresh.length > notesMax) {
      const notes = [...thinned(read(this.#log)).filter(([inode]) => !gone.includes(inode)), ...fresh]
      writeFileSync(notesOf(this.#log), written(notes), { mode: 0o600 })
      this.#count = notes.length
    } else if (fresh.length > 0) {
      appendFileSync(notesOf(this.#log), written(fresh), { mode: 0o600 })
      this.#count += fresh.length
    }
    for (const inode of gone) this.#sizes.delete(inode)
    for (const [inode, offset] of fresh) this.#sizes.set(inode, offset)
  }

  /** By inode: a log keeps it when it is renamed because the next file begins, which may happen in between. */
  #files(): ReadonlyMap<number, Stats> {
    const found = new Map<number, Stats>()
    for (const path of [this.#log, `${this.#log}.1`]) {
      const stats = statSync(path, { throwIfNoEntry: false })
      if (stats !== undefined) found.set(stats.ino, stats)
    }
    return found
  }
}
