/**
 * The log file of a monitor: one line of JSON for each event, written once however often the monitor is killed.
 */
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, readSync, writeSync } from "node:fs"
import { dirname } from "node:path"

/** A line: the event that it is for, and further data. */
export interface MonitorLine {
  readonly stream: string
  readonly position: number
  readonly [name: string]: unknown
}

/**
 * A log file that knows its contents.
 *
 * *Details*: `write` skips events that are in the file already; it throws if the file cannot be written.
 */
export interface MonitorLog {
  readonly write: (line: MonitorLine) => void
  readonly close: () => void
}

const piece = 64 * 1024
const newline = 10

/** The lines of a file from its end on, each without its line break, read on demand. */
function* backwards(file: number, from: number): Generator<string> {
  let rest = Buffer.alloc(0)
  for (let end = from; end > 0;) {
    const start = Math.max(0, end - piece)
    const read = Buffer.alloc(end - start)
    readSync(file, read, 0, read.length, start)
    rest = Buffer.concat([read, rest])
    end = start
    for (let at = rest.lastIndexOf(newline); at !== -1; at = rest.lastIndexOf(newline)) {
      yield rest.toString("utf8", at + 1)
      rest = rest.subarray(0, at)
    }
  }
  yield rest.toString("utf8")
}

/** Where the last complete line ends: anything after it was truncated by a crash. */
const wholeLength = (file: number, size: number): number => {
  for (let end = size; end > 0;) {
    const start = Math.max(0, end - piece)
    const read = Buffer.alloc(end - start)
    readSync(file, read, 0, read.length, start)
    const at = read.lastIndexOf(newline)
    if (at !== -1) return start + at + 1
    end = start
  }
  return 0
}

const lineOf = (text: string): Partial<MonitorLine> => {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === "object" && value !== null ? value : {}
  } catch {
    // A foreign line belongs to no event.
    return {}
  }
}

/**
 * Opens a log file, and creates it with its folder if it is missing. A truncated last line is removed.
 *
 * *Gotchas*: one monitor writes to one file; two that share it write each line twice.
 */
export const openMonitorLog = (path: string): MonitorLog => {
  mkdirSync(dirname(path), { recursive: true })
  const file = openSync(path, "a+")
  const { size } = fstatSync(file)
  const length = wholeLength(file, size)
  if (length < size) ftruncateSync(file, length)
  const written = new Map<string, number>()
  const lastOf = (stream: string): number => {
    for (const text of backwards(file, length)) {
      const { position, stream: of } = lineOf(text)
      if (of === stream && typeof position === "number") return position
    }
    return 0
  }
  return {
    write: (line) => {
      const before = written.get(line.stream) ?? lastOf(line.stream)
      if (line.position > before) writeSync(file, `${JSON.stringify(line)}\n`)
      written.set(line.stream, Math.max(before, line.position))
    },
    close: () => closeSync(file)
  }
}
