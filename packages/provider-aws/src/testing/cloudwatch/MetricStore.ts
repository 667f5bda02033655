/**
 * What CloudWatch knows: values of metrics by minute, late.
 */
import type { SimulatedClock } from "../SimulatedClock.ts"

export const minute = 60_000

export type Dimensions = Readonly<Record<string, string>>

/** The values of a metric in one minute. */
export interface Minute {
  readonly start: number
  readonly values: Array<number>
}

const keyOf = (namespace: string, name: string, dimensions: Dimensions): string =>
  JSON.stringify([namespace, name, Object.entries(dimensions).sort(([a], [b]) => (a < b ? -1 : 1))])

export class MetricStore {
  readonly #clock: SimulatedClock
  readonly #series = new Map<string, Map<number, Minute>>()
  readonly #lost = new Set<number>()
  /** How many milliseconds after its end a minute appears. */
  late: number
  /** How many of the next answers are incomplete. */
  partial = 0

  constructor(clock: SimulatedClock, late: number) {
    this.#clock = clock
    this.late = late
  }

  /** Adds a value to the current minute, or to the one of `at`. */
  add(namespace: string, name: string, dimensions: Dimensions, value: number, at = this.#clock.now()): void {
    const key = keyOf(namespace, name, dimensions)
    const minutes = this.#series.get(key) ?? new Map<number, Minute>()
    this.#series.set(key, minutes)
    const start = Math.floor(at / minute) * minute
    const known = minutes.get(start)
    if (known === undefined) minutes.set(start, { start, values: [value] })
    else known.values.push(value)
  }

  /** The minutes from `from` to before `to` that can be seen, oldest first. A metric must have exactly these dimensions. */
  read(namespace: string, name: string, dimensions: Dimensions, from: number, to: number): ReadonlyArray<Minute> {
    const seen = this.#clock.now() - this.late
    return [...(this.#series.get(keyOf(namespace, name, dimensions))?.values() ?? [])]
      .filter(({ start }) => start >= from && start < to && start + minute <= seen && !this.#lost.has(start))
      .sort((a, b) => a.start - b.start)
  }

  /** Loses what was and will be counted in the minute of that time. */
  lose(at: number): void {
    this.#lost.add(Math.floor(at / minute) * minute)
  }
}
