/**
 * The time of the server, from the `Date` headers of its answers.
 */

/** How far two clocks may drift apart, in ms per ms. */
const drift = 0.0002

/** How much the clocks of the server's own hosts may disagree, in ms. */
const disagreement = 100

/**
 * Narrows down how far the server's clock is ahead of this process's monotonic clock.
 *
 * *Details*: a `Date` header has full seconds, so that one answer bounds the difference to a second and the duration of
 * the call. Further answers narrow it to the shortest distance between two answers around the turn of a second. Within
 * these bounds the clock of this host is believed, and outside of them never, however wrong it is or becomes.
 */
export class ServerClock {
  #from = Number.NEGATIVE_INFINITY
  #to = Number.POSITIVE_INFINITY
  #sampledAt = 0
  #offset: number | undefined

  /** An answer with this `Date`; `sent` and `received` are times of `performance.now()`. */
  sample(date: string, sent: number, received: number): void {
    const second = Date.parse(date)
    if (Number.isNaN(second)) return
    const drifted = this.#offset === undefined ? 0 : (received - this.#sampledAt) * drift
    const [from, to] = [second - received, second + 1_000 - sent]
    const narrowed = [Math.max(this.#from - drifted, from), Math.min(this.#to + drifted, to)] as const
    if (narrowed[0] <= narrowed[1]) [this.#from, this.#to] = narrowed
    else if (narrowed[0] - narrowed[1] < disagreement) [this.#to, this.#from] = narrowed
    // This process was suspended, or the server's clock was set.
    else [this.#from, this.#to] = [from, to]
    this.#sampledAt = received
    if (this.#offset === undefined || this.#offset < this.#from || this.#offset > this.#to) {
      const host = Math.round(Date.now() - performance.now())
      this.#offset = host >= this.#from && host <= this.#to ? host : (this.#from + this.#to) / 2
    }
  }

  /** Whether an answer has been seen. */
  get isSet(): boolean {
    return this.#offset !== undefined
  }

  /** The time of the server, in ms since 1970. */
  now(): number {
    return Math.floor(performance.now() + (this.#offset ?? 0))
  }

  /** By how much `now` may be wrong, in ms. */
  get uncertainty(): number {
    return Math.ceil(this.#to - this.#from)
  }
}
