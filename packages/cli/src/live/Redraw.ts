import type { Sink } from "../host/Host.ts"
import { displayWidth } from "./text.ts"
import { printable } from "./words.ts"

const hide = "\u001b[?25l"
const show = "\u001b[?25h"

/**
 * Draws lines over the previous ones. The cursor is hidden meanwhile and returns with `end`, which leaves the last
 * lines on the screen.
 */
export class Redraw {
  /** The active one, so that messages are printed above it. */
  static active: Redraw | undefined

  readonly #sink: Sink
  #lines: ReadonlyArray<string> = []
  #hidden = false

  constructor(sink: Sink) {
    this.#sink = sink
  }

  /** How many rows the last lines take at the current width: a narrower terminal has wrapped them. */
  #height(): number {
    const columns = Math.max(1, this.#sink.columns())
    return this.#lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(displayWidth(line) / columns)), 0)
  }

  #clear(): string {
    const height = this.#height()
    return height === 0 ? "\r\u001b[J" : `\u001b[${height}A\r\u001b[J`
  }

  draw(lines: ReadonlyArray<string>): void {
    const start = this.#hidden ? this.#clear() : hide
    this.#hidden = true
    Redraw.active = this
    this.#lines = lines.map(printable)
    this.#sink.write(`${start}${this.#lines.map((line) => `${line}\n`).join("")}`)
  }

  /** Writes permanent lines, above the redrawn ones. */
  above(text: string): void {
    this.#sink.write(`${this.#hidden ? this.#clear() : ""}${text}\n${this.#lines.map((line) => `${line}\n`).join("")}`)
  }

  end(): void {
    if (!this.#hidden) return
    this.#sink.write(show)
    this.#hidden = false
    Redraw.active = undefined
  }
}
