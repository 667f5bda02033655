/**
 * The requests to one release: a ring of the last quarter of an hour, at most about a million of them.
 */
import type { Counted } from "../Protocol.ts"

/** Monotonic milliseconds, independent of the wall clock: windows are found by order. */
export const monotonic = (): number => performance.timeOrigin + performance.now()

const capacityMin = 1024
const capacityMax = 1 << 20
const longest = 15 * 60_000
const samplesMax = 2000
/** Percentiles come from at most this many requests, drawn evenly: sorting more would hold up the proxy. */
const sortedMax = 20_000

export class Requests {
  #times = new Float64Array(capacityMin)
  #latencies = new Float32Array(capacityMin)
  #errors = new Uint8Array(capacityMin)
  #start = 0
  #size = 0

  record(at: number, latency: number, error: boolean): void {
    if (this.#size === this.#times.length) {
      if (this.#size < capacityMax && at - this.#times[this.#start]! < longest) this.#grow()
      else {
        this.#start = (this.#start + 1) % this.#times.length
        this.#size -= 1
      }
    }
    const index = (this.#start + this.#size) % this.#times.length
    this.#times[index] = at
    this.#latencies[index] = latency
    this.#errors[index] = error ? 1 : 0
    this.#size += 1
  }

  measure(now: number, window: number, healthy: number | null): Counted {
    const from = now - Math.min(window, longest)
    const length = this.#times.length
    // Requests are recorded in order of their end: the window is the rest of the ring from the first one within it.
    let low = 0
    let high = this.#size
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#times[(this.#start + middle) % length]! < from) low = middle + 1
      else high = middle
    }
    const requests = this.#size - low
    if (requests === 0) return { requests: 0, errors: 0, latency: null, healthy }
    let errors = 0
    let sum = 0
    for (let offset = low; offset < this.#size; offset++) {
      const index = (this.#start + offset) % length
      errors += this.#errors[index]!
      sum += this.#latencies[index]!
    }
    const drawn = (count: number): Float32Array =>
      Float32Array.from(
        { length: count },
        (_, position) => this.#latencies[(this.#start + low + Math.floor((position * requests) / count)) % length]!
      )
    const sorted = drawn(Math.min(requests, sortedMax)).sort()
    const quantile = (q: number): number =>
      round(sorted[Math.min(sorted.length - 1, Math.ceil(q * sorted.length) - 1)]!)
    return {
      requests,
      errors,
      latency: { mean: round(sum / requests), p50: quantile(0.5), p95: quantile(0.95), p99: quantile(0.99) },
      healthy,
      samples: Array.from(drawn(Math.min(requests, samplesMax)), round)
    }
  }

  #grow(): void {
    const length = this.#times.length
    const times = new Float64Array(length * 2)
    const latencies = new Float32Array(length * 2)
    const errors = new Uint8Array(length * 2)
    for (let offset = 0; offset < this.#size; offset++) {
      const index = (this.#start + offset) % length
      times[offset] = this.#times[index]!
      latencies[offset] = this.#latencies[index]!
      errors[offset] = this.#errors[index]!
    }
    this.#times = times
    this.#latencies = latencies
    this.#errors = errors
    this.#start = 0
  }
}

const round = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000
