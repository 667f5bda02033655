/**
 * Calls as they arrive, by either protocol: recorded, and disturbed where a test wants it.
 */
import { ApiError } from "./ApiError.ts"
import type { JsonMessage } from "./Protos.ts"
import type { Handler } from "./RunState.ts"

/** Handles a call. `handler` stands in for the one that is known by the names. */
export type Call = (service: string, method: string, request: JsonMessage, handler?: Handler) => Promise<JsonMessage>

/** A call that arrived. `failed` is the status that it was answered with, if it was refused. */
export interface RecordedCall {
  readonly method: string
  readonly request: JsonMessage
  readonly at: number
  readonly failed?: string
}

/**
 * A fault.
 *
 * *Details*: it hits calls of `method` (default all), from the `nth` on (default 1), `times` of them (default 1 if `nth`
 * is given, else all). They are refused with `refuse`; or take effect, and their answer is `lost`; or are `delayed` by
 * that many milliseconds, or until the promise that it returns is settled.
 */
export interface CallFault {
  readonly method?: string | RegExp
  readonly nth?: number
  readonly times?: number
  readonly refuse?: ApiError
  readonly lost?: boolean
  readonly delayed?: number | (() => Promise<void>)
}

const isChange = /^(Cancel|Clone|Create|Update|Delete|Populate|Replace|Run|Upload)/

const delay = async (delayed: CallFault["delayed"]): Promise<void> => {
  if (typeof delayed === "function") await delayed()
  else if (delayed !== undefined) await new Promise((resolve) => setTimeout(resolve, delayed))
}

export class ReceivedCalls {
  readonly all: Array<RecordedCall> = []
  readonly #handlers: Readonly<Record<string, Readonly<Record<string, Handler>>>>
  readonly #faults = new Set<{ readonly fault: CallFault; seen: number; hits: number }>()
  /** Who calls, as far as the API says so. */
  principal = "deployer@example.iam.gserviceaccount.com"

  constructor(handlers: Readonly<Record<string, Readonly<Record<string, Handler>>>>) {
    this.#handlers = handlers
  }

  /** The calls that changed something, or would have. */
  get changes(): ReadonlyArray<RecordedCall> {
    return this.all.filter(({ method }) => isChange.test(method))
  }

  /** Adds a fault, and returns a function that removes it. */
  add(fault: CallFault): () => void {
    const rule = { fault, seen: 0, hits: 0 }
    this.#faults.add(rule)
    return () => void this.#faults.delete(rule)
  }

  readonly call: Call = async (service, method, request, handler = this.#handlers[service]?.[method]) => {
    const at = Date.now()
    const fault = this.#hit(method)
    try {
      if (fault?.refuse !== undefined) throw fault.refuse
      await delay(fault?.delayed)
      if (handler === undefined) throw new ApiError("UNIMPLEMENTED", `The simulator has no ${service}.${method}.`)
      const json = structuredClone(await handler(request, this.principal))
      this.all.push({ method, request, at })
      if (fault?.lost === true) throw new ApiError("UNAVAILABLE", "The answer was lost.")
      return json
    } catch (error) {
      const refusal = error instanceof ApiError ? error : new ApiError("INTERNAL", String(error))
      if (fault?.lost !== true) this.all.push({ method, request, at, failed: refusal.status })
      throw refusal
    }
  }

  #hit(method: string): CallFault | undefined {
    for (const rule of this.#faults) {
      const { method: wanted, nth, times = nth === undefined ? Infinity : 1 } = rule.fault
      if (typeof wanted === "string" ? wanted !== method : wanted !== undefined && !wanted.test(method)) continue
      rule.seen += 1
      if (rule.seen < (nth ?? 1) || rule.hits >= times) continue
      rule.hits += 1
      return rule.fault
    }
    return undefined
  }
}
