/**
 * The times of the lines of a log. The shell that writes a log records no times, so the supervisor checks the size of the
 * file four times a second, and notes each new size with its time in a file beside it.
 */
import { appendFileSync, readFileSync, rmSync, type Stats, statSync, writeFileSync } from "node:fs"
import type { Position } from "./LogReader.ts"

const lookMillis = 250
/** Beyond this number, every second note is dropped: its lines then get the time of the next note. */
const notesMax = 5000

/** The lines up to this place came by `at`; null if no supervisor was watching. */
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

/** Returns the time of a line, by the place where it ends; null if it is not known. */
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

/** Writes the times of a copy of a log, line by line. */
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

  /** Checks from now on. */
  start(): void {
    this.look()
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.look(), lookMillis).unref()
  }

  /** Checks once more, then stops. */
  stop(): void {
    clearInterval(this.#timer)
    this.look()
  }

  delete(): void {
    clearInterval(this.#timer)
    this.#deleted = true
    deleteTimes(this.#log)
  }

  /** Checks now. A full disk stops nothing: a later check notes what this one could not. */
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
