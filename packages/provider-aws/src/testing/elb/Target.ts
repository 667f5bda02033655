/**
 * A target of a group, with the requests that it has not answered yet.
 */

export type TargetState = "initial" | "healthy" | "unhealthy" | "draining"

export class Target {
  readonly id: string
  readonly port: number
  state: TargetState = "initial"
  reason: string | undefined = "Elb.RegistrationInProgress"
  passes = 0
  failures = 0
  /** Cancels what is planned for it. */
  cancel: () => void = () => {}
  #open = 0
  readonly #waiting = new Set<() => void>()

  constructor(id: string, port: number) {
    this.id = id
    this.port = port
  }

  /** Begins with health checks as for a new target. */
  reset(): void {
    Object.assign(this, { state: "initial", reason: "Elb.RegistrationInProgress", passes: 0, failures: 0 })
  }

  /** Begins a request, and returns what ends it. */
  begin(): () => void {
    this.#open += 1
    return () => {
      this.#open -= 1
      if (this.#open === 0) for (const resolve of this.#waiting) resolve()
    }
  }

  /** Resolves when no request is open, or after so many milliseconds. */
  async idle(millis: number): Promise<void> {
    if (this.#open === 0 || millis <= 0) return
    let timer: ReturnType<typeof setTimeout>
    await new Promise<void>((resolve) => {
      this.#waiting.add(resolve)
      timer = setTimeout(resolve, millis)
    })
    clearTimeout(timer!)
  }
}
