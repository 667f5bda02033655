/**
 * What a fault proxy does to the requests that pass through it, as data.
 */

/**
 * A request as the proxy received it. `path` includes the query, the names in `headers` are in lower case.
 */
export interface FaultRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Uint8Array
}

/** An answer that the proxy gives in place of the target. The default status is 200. */
export interface FaultAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/**
 * One fault.
 *
 * *Details*
 *
 * - `answer` the target does not get the request; the client gets this answer: throttled, denied, unavailable
 * - `delay` waits that many milliseconds, by default before the request is forwarded, or with `when: "after"` between the
 *   target's answer and the client
 * - `cut` closes the connection without an answer: `before` the target gets the request, or `after` it has answered, so
 *   that the effect has happened and the client does not know
 * - `repeat` the target gets the request that many times more; the client gets the last answer, as after a repeat by a
 *   client whose first answer was lost
 */
export type Fault =
  | { readonly answer: FaultAnswer | ((request: FaultRequest) => FaultAnswer) }
  | { readonly delay: number; readonly when?: "before" | "after" }
  | { readonly cut: "before" | "after" }
  | { readonly repeat: number }

/**
 * A fault, and the calls that it hits.
 *
 * *Details*: without `operation`, calls of any operation. A rule counts its own calls, from 1 and from when it was added:
 * it hits those from the `nth` on (default 1), at most `times` of them (default: 1 if `nth` is given, else all), each with
 * a `probability` from 0 to 1 (default 1). Delays of all rules add up; of the other faults, the first rule that hits wins.
 */
export interface FaultRule {
  readonly operation?: string | RegExp
  readonly nth?: number
  readonly times?: number
  readonly probability?: number
  readonly fault: Fault
}

/** A call as it happened. `faults` names what was done to it; `forwarded` counts how often the target got it. */
export interface FaultCall {
  readonly operation: string
  readonly faults: ReadonlyArray<"answer" | "delay" | "cut" | "repeat">
  readonly forwarded: number
}

/**
 * A number from 0 to 1 that depends on the seed, the rule, the operation and how many calls of it the rule has seen, but
 * not on how the calls of different operations interleave: FNV-1a, and the finalizer of MurmurHash 3.
 */
const chance = (...parts: ReadonlyArray<string | number>): number => {
  let hash = 0x811c9dc5
  for (const char of parts.join("\n")) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32
}

/** A rule with its counts: given an operation, tells whether this call of it is hit. */
export const applied = (rule: FaultRule, index: number, seed: number) => {
  const seen = new Map<string, number>()
  const { nth, operation: wanted, probability = 1, times = nth === undefined ? Infinity : 1 } = rule
  let calls = 0
  let hits = 0
  const hit = (operation: string): boolean => {
    if (typeof wanted === "string" ? wanted !== operation : wanted !== undefined && operation.search(wanted) === -1) {
      return false
    }
    calls += 1
    const count = (seen.get(operation) ?? 0) + 1
    seen.set(operation, count)
    if (calls < (nth ?? 1) || hits >= times || chance(seed, index, operation, count) >= probability) return false
    hits += 1
    return true
  }
  return { fault: rule.fault, hit }
}
