/**
 * Reads what a command prints, redacts it and hands it on. The command waits where nobody takes it.
 */
import type { Redaction } from "@signalbox/core/spi"
import type { Readable } from "node:stream"

/** How long the beginning of a line waits for the rest: a question must be seen, though its line does not end. */
const idleAfter = 50
/** How long it must have been silent before it is given up, in ms, after the command ended and others kept its output. */
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

  /** What `deliver` throws is the loss of who it delivers to, never the command's. */
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
      // It was given up, or broke: what was read is handed on.
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
   * Waits for the end of the output after the command's: at once in general, and where a process that lives on holds it open,
   * when nothing more comes.
   */
  async finish(): Promise<void> {
    this.#last = performance.now()
    const timer = setInterval(() => {
      // What has arrived meanwhile is read before this is looked at.
      setImmediate(() => {
        if (this.#open && this.#delivering === 0 && performance.now() - this.#last > silentFor) this.#source.destroy()
      })
    }, silentFor / 5)
    await this.done
    clearInterval(timer)
  }
}
