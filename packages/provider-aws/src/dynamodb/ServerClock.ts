/**
 * The time of the server, from the `Date` headers of its answers.
 */

/** How far two clocks may drift apart, in ms per ms. */
const drift = 0.0002

/** How much the clocks of the server's own hosts may disagree, in ms. */
const disagreement = 100

/** By how much the clock of this host may differ from monotonic time before it counts as set, in ms. */
const steady = 20

/** How far the clock of this host is from monotonic time. */
const hostOffset = (): number => Date.now() - performance.now()

/** The roundest number of an interval, 0 if it is in it: so that processes of one host choose the same. */
const roundest = (from: number, to: number): number => {
  if (from <= 0 && to >= 0) return 0
  for (const step of [1_000, 100, 10, 1]) {
    const nearest = from > 0 ? Math.ceil(from / step) * step : Math.floor(to / step) * step
    if (nearest >= from && nearest <= to) return nearest
  }
  return Math.round((from + to) / 2)
}

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
  #sampledAt: number | undefined
  /** How far the server is ahead of this host, and the offset of this host when that was found. */
  #ahead = 0
  #host = 0

  /** An answer with this `Date`; `sent` and `received` are times of `performance.now()`. */
  sample(date: string, sent: number, received: number): void {
    const second = Date.parse(date)
    if (Number.isNaN(second)) return
    const drifted = this.#sampledAt === undefined ? 0 : (received - this.#sampledAt) * drift
    const [from, to] = [second - received, second + 1_000 - sent]
    const narrowed = [Math.max(this.#from - drifted, from), Math.min(this.#to + drifted, to)] as const
    if (narrowed[0] <= narrowed[1]) [this.#from, this.#to] = narrowed
    else if (narrowed[0] - narrowed[1] < disagreement) [this.#to, this.#from] = narrowed
    // This process was suspended, or the server's clock was set.
    else [this.#from, this.#to] = [from, to]
    const offset = this.#host + this.#ahead
    const isKnown = this.#sampledAt !== undefined && offset >= this.#from && offset <= this.#to
    this.#sampledAt = received
    if (isKnown && this.#isSteady) return
    this.#host = hostOffset()
    this.#ahead = roundest(this.#from - this.#host, this.#to - this.#host)
  }

  get #isSteady(): boolean {
    return Math.abs(hostOffset() - this.#host) < steady
  }

  /** Whether an answer has been seen. */
  get isSet(): boolean {
    return this.#sampledAt !== undefined
  }

  /** Whether the clock of this host is wrong by more than the bounds. */
  get isHostWrong(): boolean {
    return this.#ahead !== 0
  }

  /** The time of the server, in ms since 1970. */
  now(): number {
    return this.#isSteady ? Date.now() + this.#ahead : Math.floor(performance.now() + this.#host + this.#ahead)
  }

  /** By how much `now` may be wrong, in ms. */
  get uncertainty(): number {
    return Math.ceil(this.#to - this.#from)
  }
}
