/**
 * Calls as they arrive at any service: recorded, and disturbed where a test wants it.
 */
import type { SimulatedClock } from "../SimulatedClock.ts"
import { AwsError } from "./AwsError.ts"

/** A call that arrived. `failed` is the code that it was answered with, if it was refused. */
export interface RecordedCall {
  readonly service: string
  readonly operation: string
  readonly input: unknown
  /** The access key of the caller. */
  readonly caller: string
  /** In simulated milliseconds. */
  readonly at: number
  readonly failed?: string
}

/**
 * A fault of calls.
 *
 * *Details*: it hits calls of `operation` (default all), from the `nth` on (default 1), `times` of them (default 1 if `nth` is
 * given, else all). They are refused with `refuse`; or are `throttled`; or take effect, and their connection is `dropped`
 * before the answer; or are `delayed` until the promise that it returns is settled.
 */
export interface CallFault {
  readonly operation?: string | RegExp
  readonly nth?: number
  readonly times?: number
  readonly refuse?: AwsError
  readonly throttled?: boolean
  readonly dropped?: boolean
  readonly delayed?: () => Promise<void>
}

/** Thrown instead of an answer: the connection ends. */
export const dropped: unique symbol = Symbol("dropped")

const isRead = /^(Describe|Get|List|AssumeRole)/

/** The caller of edits that a test makes itself. */
export const otherCaller = "another-caller"

type Handle = () => unknown

/** Reads of an operation that are answered as before the latest change. */
interface Stale {
  readonly operation: string
  times: number
  readonly answers: Map<string, unknown>
}

export class ReceivedCalls {
  readonly all: Array<RecordedCall> = []
  readonly #clock: SimulatedClock
  readonly #faults = new Set<{ readonly fault: CallFault; seen: number; hits: number }>()

  readonly #stale = new Set<Stale>()
  /** The latest reads, by operation and input. */
  readonly #reads = new Map<string, Map<string, Handle>>()

  constructor(clock: SimulatedClock) {
    this.#clock = clock
  }

  /** The calls that changed something, or would have. Edits of others are left out. */
  get writes(): ReadonlyArray<RecordedCall> {
    return this.all.filter(({ caller, operation }) => caller !== otherCaller && !isRead.test(operation))
  }

  /** Adds a fault, and returns a function that removes it. */
  add(fault: CallFault): () => void {
    const rule = { fault, seen: 0, hits: 0 }
    this.#faults.add(rule)
    return () => void this.#faults.delete(rule)
  }

  /** Answers the next reads of an operation as before the latest change that follows, and returns a function that ends it. */
  staleReads(operation: string, times: number): () => void {
    const rule: Stale = { operation, times, answers: new Map() }
    this.#stale.add(rule)
    return () => void this.#stale.delete(rule)
  }

  /** Handles a call and records it. */
  async run(call: Omit<RecordedCall, "at" | "failed">, handle: Handle): Promise<unknown> {
    const recorded = { ...call, at: this.#clock.now() }
    const fault = this.#hit(call.operation)
    try {
      if (fault?.throttled === true) throw new AwsError("Throttling", "Rate exceeded")
      if (fault?.refuse !== undefined) throw fault.refuse
      await fault?.delayed?.()
      const output = structuredClone(await this.#answer(call, handle))
      this.all.push(recorded)
      if (fault?.dropped === true) throw dropped
      return output
    } catch (error) {
      if (error === dropped) throw error
      const refusal = error instanceof AwsError ? error : new AwsError("InternalFailure", String(error), 500)
      this.all.push({ ...recorded, failed: refusal.code })
      throw refusal
    }
  }

  async #answer({ input, operation }: Omit<RecordedCall, "at" | "failed">, handle: Handle): Promise<unknown> {
    if (!isRead.test(operation)) {
      for (const { answers, operation } of this.#stale) {
        for (const [key, read] of this.#reads.get(operation) ?? []) {
          // What was asked for may be gone.
          try {
            answers.set(key, structuredClone(read()))
          } catch {
            answers.delete(key)
          }
        }
      }
      return handle()
    }
    const key = JSON.stringify(input)
    const reads = this.#reads.get(operation) ?? new Map<string, Handle>()
    this.#reads.set(operation, reads.set(key, handle))
    for (const rule of this.#stale) {
      if (rule.operation !== operation || rule.times <= 0 || !rule.answers.has(key)) continue
      rule.times -= 1
      return rule.answers.get(key)
    }
    return handle()
  }

  #hit(operation: string): CallFault | undefined {
    for (const rule of this.#faults) {
      const { nth, operation: wanted, times = nth === undefined ? Infinity : 1 } = rule.fault
      if (typeof wanted === "string" ? wanted !== operation : wanted !== undefined && !wanted.test(operation)) continue
      rule.seen += 1
      if (rule.seen < (nth ?? 1) || rule.hits >= times) continue
      rule.hits += 1
      return rule.fault
    }
    return undefined
  }
}
