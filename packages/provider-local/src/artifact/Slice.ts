import { setImmediate } from "node:timers/promises"

const sliceMillis = 15

/**
 * Divides synchronous work into slices. For thousands of small files, synchronous calls are several times faster than
 * the few threads behind the asynchronous ones, but signals, leases and progress need time too.
 */
export class Slice {
  readonly #signal: AbortSignal
  #end = performance.now() + sliceMillis

  constructor(signal: AbortSignal) {
    this.#signal = signal
  }

  get isOver(): boolean {
    return performance.now() > this.#end
  }

  /** Lets other work run. Fails if the work was aborted meanwhile. */
  async next(): Promise<void> {
    this.#signal.throwIfAborted()
    await setImmediate()
    this.#signal.throwIfAborted()
    this.#end = performance.now() + sliceMillis
  }
}
