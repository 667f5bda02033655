/**
 * Reads a command's output, redacts it and passes it on. The command waits while it cannot be delivered.
 */
import type { Redaction } from "@signalbox/core/spi"
import type { Readable } from "node:stream"

/** How long an incomplete line waits for the rest: a question must be seen, though its line does not end. */
const idleAfter = 50
/**
 * How long the output must be silent before it is abandoned, in ms, after the command ended and other processes kept
 * its output.
 */
const silentFor = 250

export class Output {
  readonly done: Promise<void>
  readonly #source: Readable
  readonly #redaction: Redaction.RedactionStream
  readonly #deliver: (bytes: Buffer) => Promise<void>
  #queue: Promise<void> = Promise.resolve()
  #idle: NodeJS.Timeout | undefined
  #last = performance.now()
  #delivering = 0
  #open = true

  /** An exception from `deliver` affects its receiver, never the command. */
  constructor(source: Readable, redactor: Redaction.Redactor, deliver: (bytes: Buffer) => Promise<void>) {
    this.#source = source
    this.#redaction = redactor.stream()
    this.#deliver = deliver
    this.done = this.#read()
  }

  async #read(): Promise<void> {
    try {
      for await (const chunk of this.#source as AsyncIterable<Buffer>) {
        clearTimeout(this.#idle)
        await this.#give(() => this.#redaction.push(chunk.toString("latin1")))
        this.#last = performance.now()
        this.#idle = setTimeout(() => void this.#give(() => this.#redaction.idle()), idleAfter)
      }
    } catch {
      // It was abandoned, or broke: the data that was read is passed on.
    }
    clearTimeout(this.#idle)
    await this.#give(() => this.#redaction.end())
    this.#open = false
  }

  #give(take: () => string): Promise<void> {
    this.#delivering++
    this.#queue = this.#queue
      .then(() => {
        const text = take()
        return text === "" ? undefined : this.#deliver(Buffer.from(text, "latin1"))
      })
      .catch(() => undefined)
      .then(() => {
        this.#delivering--
      })
    return this.#queue
  }

  /**
   * Waits for the end of the output after the command's end: usually at once, and if a surviving process holds it open,
   * when nothing more arrives.
   */
  async finish(): Promise<void> {
    this.#last = performance.now()
    const timer = setInterval(() => {
      // Data that arrived meanwhile is read before this is checked.
      setImmediate(() => {
        if (this.#open && this.#delivering === 0 && performance.now() - this.#last > silentFor) this.#source.destroy()
      })
    }, silentFor / 5)
    await this.done
    clearInterval(timer)
  }
}
