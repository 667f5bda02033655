/**
 * The log of one instance: written by its process, read for messages, kept with the times of its lines.
 */
import { rmSync } from "node:fs"
import { type OpenLog, openLog } from "./Log.ts"
import { readLines } from "./LogReader.ts"
import { LogTimes, readTimes } from "./LogTimes.ts"

/** How much of a log a message quotes. */
const tailMax = 8192
const tailLines = 10

/** A line with its time; null if it is not known. */
export interface TimedLine {
  readonly text: string
  readonly at: number | null
}

export class InstanceLog {
  readonly file: string
  readonly #times: LogTimes
  readonly #redact: (text: string) => string

  constructor(file: string, redact: (text: string) => string) {
    this.file = file
    this.#times = new LogTimes(file)
    this.#redact = redact
  }

  /** For a process that is about to start. */
  async open(): Promise<OpenLog> {
    const log = await openLog(this.file)
    this.watch()
    return log
  }

  /** Notes when lines come, until the process has ended. */
  watch(): void {
    this.#times.start()
  }

  ended(): void {
    this.#times.stop()
  }

  /** Notes the lines that have just come. */
  look(): void {
    this.#times.look()
  }

  /** The end of it in whole lines, without secrets. */
  get end(): ReadonlyArray<TimedLine> {
    const { ends, lines } = readLines(this.file, { after: undefined, limit: Infinity, ended: true })
    if (lines.length === 0) return []
    this.look()
    const at = readTimes(this.file)
    return this.#redact(lines.join("\n"))
      .split("\n")
      .map((text, index) => ({ text, at: at(ends[index]!) }))
  }

  /** The last lines, without secrets, for a message. */
  get tail(): string {
    return this.end
      .map(({ text }) => text)
      .join("\n")
      .trimEnd()
      .split("\n")
      .slice(-tailLines)
      .join("\n")
      .slice(-tailMax)
  }

  delete(): void {
    this.#times.delete()
    for (const path of [this.file, `${this.file}.1`]) rmSync(path, { force: true })
  }
}
