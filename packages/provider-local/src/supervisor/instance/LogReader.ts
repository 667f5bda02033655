/**
 * Reads a log and its predecessor as one sequence of bytes, in whole lines, from a position that survives the beginning
 * of a new file.
 */
import { closeSync, fstatSync, openSync, readSync } from "node:fs"

/** The file by its inode, because a log is renamed when the next file begins, and a byte in it. */
export interface Position {
  readonly inode: number
  readonly offset: number
}

/** At most this much is read at once; a longer line is read in parts. */
const chunkMax = 1 << 20

interface Piece extends Position {
  readonly bytes: Buffer
}

interface Part {
  readonly file: number
  readonly inode: number
  readonly size: number
}

const opened = (paths: ReadonlyArray<string>): ReadonlyArray<Part> =>
  paths.flatMap((path) => {
    try {
      const file = openSync(path, "r")
      const { ino: inode, size } = fstatSync(file)
      return [{ file, inode, size }]
    } catch {
      return []
    }
  })

const slice = ({ file, inode }: Part, from: number, length: number): Piece => {
  const bytes = Buffer.alloc(length)
  return { inode, offset: from, bytes: bytes.subarray(0, readSync(file, bytes, 0, length, from)) }
}

/** The bytes of all parts from one on, or the last ones. */
const pieces = (parts: ReadonlyArray<Part>, after: Position | undefined): ReadonlyArray<Piece> => {
  const at = parts.findIndex(({ inode, size }) => inode === after?.inode && after.offset <= size)
  const ahead = parts.slice(Math.max(0, at)).map((part, index) => ({
    part,
    from: at >= 0 && index === 0 ? after!.offset : 0
  }))
  let left = chunkMax
  const take = ({ from, part }: (typeof ahead)[number], last: boolean): Piece => {
    const length = Math.min(left, part.size - from)
    left -= length
    return slice(part, last ? part.size - length : from, length)
  }
  return after === undefined
    ? ahead
        .toReversed()
        .map((one) => take(one, true))
        .toReversed()
    : ahead.map((one) => take(one, false))
}

/** A position in the pieces, counted over all their bytes. */
const positionAt = (all: ReadonlyArray<Piece>, count: number): Position | undefined => {
  let before = 0
  for (const [index, { bytes, inode, offset }] of all.entries()) {
    if (count <= before + bytes.length || index === all.length - 1) return { inode, offset: offset + count - before }
    before += bytes.length
  }
  return undefined
}

export interface LinesRead {
  readonly lines: ReadonlyArray<string>
  /** The place after each line. */
  readonly ends: ReadonlyArray<Position>
  /** Undefined if there is no log. */
  readonly position: Position | undefined
}

const newline = 10

/** The ends of whole lines in the bytes; `whole`, or a line that fills them, makes the rest a line too. */
const endsOf = (bytes: Buffer, whole: boolean): ReadonlyArray<number> => {
  const ends: Array<number> = []
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) ends.push(at + 1)
  const rest = (ends.at(-1) ?? 0) < bytes.length
  return rest && (whole || (ends.length === 0 && bytes.length === chunkMax)) ? [...ends, bytes.length] : ends
}

/**
 * Reads lines: the last ones, or the first ones after a position.
 *
 * *Details*: an incomplete last line is left for later, unless no process is left (`ended`) that could complete it.
 */
export const readLines = (
  file: string,
  options: { readonly after: Position | undefined; readonly limit: number; readonly ended: boolean }
): LinesRead => {
  const parts = opened([`${file}.1`, file])
  try {
    // A log that was renamed between the two is there twice.
    const all = pieces(
      parts.filter(({ inode }, index) => parts.findIndex((other) => other.inode === inode) === index),
      options.after
    )
    const bytes = Buffer.concat(all.map((piece) => piece.bytes))
    const ends = endsOf(bytes, options.ended)
    // The first line may have begun before what was read.
    const begun = options.after === undefined && bytes.length === chunkMax && ends.length > 1 ? 1 : 0
    const first = options.after === undefined ? Math.max(begun, ends.length - options.limit) : 0
    const taken = ends.slice(first, first + options.limit)
    const start = first === 0 ? 0 : ends[first - 1]!
    const end = taken.at(-1) ?? (options.after === undefined ? (ends.at(-1) ?? 0) : 0)
    const text = bytes.subarray(start, end).toString("utf8")
    return {
      lines: taken.length === 0 ? [] : text.replace(/\n$/, "").split("\n"),
      ends: taken.map((at) => positionAt(all, at)!),
      position: positionAt(all, end) ?? options.after
    }
  } finally {
    for (const part of parts) closeSync(part.file)
  }
}
