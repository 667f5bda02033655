/**
 * Asks an instance again and again whether it is ready.
 */
import type { Runtime } from "../Protocol.ts"
import type { Upstream } from "../proxy/Upstream.ts"
import { type Answer, type Probe, probe } from "./Readiness.ts"

const startingInterval = 50
const unhealthyAfter = 2

/** The checked instance. */
export interface Checked {
  readonly readiness: Runtime["readiness"]
  readonly upstream: () => Upstream
  readonly isRunning: () => boolean
  /** Whether it was ready before: until then, it is asked more often. */
  readonly wasReady: () => boolean
  /** Called with each healthy answer, and with each one after too many others. */
  readonly onHealth: (healthy: boolean) => void
}

export class HealthCheck {
  readonly #checked: Checked
  #failures = 0
  #timer: NodeJS.Timeout | undefined
  #probe: Probe | undefined
  #answer: Answer | undefined
  #resolveFirst: () => void = () => undefined
  /** Resolves with the first answer. */
  readonly first: Promise<void>

  constructor(checked: Checked) {
    this.#checked = checked
    this.first = new Promise((resolve) => {
      this.#resolveFirst = resolve
    })
  }

  /** Whether it has not failed too often in a row. */
  get healthy(): boolean {
    return this.#failures < unhealthyAfter
  }

  /** What is known of it now. An open request tells more than the previous answer, once the connection was accepted. */
  get lastAnswer(): Answer | undefined {
    const open = this.#probe?.sofar()
    return open?.host === undefined ? (this.#answer ?? open) : open
  }

  /** Checks a process that has just begun, or was just found. */
  start(): void {
    this.#failures = 0
    this.now()
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  /** Checks without further waiting. */
  now(): void {
    clearTimeout(this.#timer)
    const { isRunning, onHealth, readiness, wasReady } = this.#checked
    if (!isRunning()) return
    const { interval, path } = readiness
    const { target } = this.#checked.upstream()
    this.#probe?.cancel()
    const current = probe(
      // Where it listened last; the other family is tried if nothing listens there.
      { port: target.port, path, hosts: target.host === "::1" ? ["::1", "127.0.0.1"] : ["127.0.0.1", "::1"] },
      (answer) => {
        if (this.#probe !== current) return
        this.#probe = undefined
        if (!isRunning()) return
        this.#answer = answer
        this.#failures = answer.well ? 0 : this.#failures + 1
        if (answer.host !== undefined) target.host = answer.host
        if (answer.well || !this.healthy) onHealth(answer.well)
        this.#resolveFirst()
        this.#timer = setTimeout(() => this.now(), wasReady() ? interval : Math.min(interval, startingInterval))
      }
    )
    this.#probe = current
  }
}
