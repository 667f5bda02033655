/**
 * A target group: its targets, and what health checks say about them.
 */
import type {
  TargetDescription,
  TargetGroup as TargetGroupJson,
  TargetHealthDescription
} from "@aws-sdk/client-elastic-load-balancing-v2"
import { request } from "node:http"
import { prober } from "../ec2/Apps.ts"
import type { SimulatedClock } from "../SimulatedClock.ts"
import { Target, type TargetState } from "./Target.ts"

/** What a group sees of its surroundings. */
export interface Surroundings {
  readonly clock: SimulatedClock
  /** Where the application of an instance listens; undefined if the instance does not run. */
  readonly portOf: (instance: string) => number | undefined
  /** Whether a rule of a load balancer names the group. */
  readonly isUsed: (arn: string) => boolean
  readonly changed: () => void
}

const keyOf = ({ Id, Port }: TargetDescription, port: number): string => `${Id}:${Port ?? port}`

const descriptions: Readonly<Record<string, string>> = {
  "Elb.RegistrationInProgress": "Target registration is in progress",
  "Elb.InitialHealthChecking": "Initial health checks in progress",
  "Target.DeregistrationInProgress": "Target deregistration is in progress",
  "Target.NotInUse": "Target group is not configured to receive traffic from the load balancer",
  "Target.NotRegistered": "Target is not registered to the target group",
  "Target.InvalidState": "Target is in the stopped state",
  "Target.FailedHealthChecks": "Health checks failed",
  "Target.Timeout": "Request timed out"
}

export class TargetGroup {
  json: TargetGroupJson
  readonly attributes = new Map([
    ["deregistration_delay.timeout_seconds", "300"],
    ["stickiness.enabled", "false"],
    ["stickiness.type", "lb_cookie"],
    ["stickiness.lb_cookie.duration_seconds", "86400"],
    ["load_balancing.algorithm.type", "round_robin"],
    ["slow_start.duration_seconds", "0"]
  ])
  readonly targets = new Map<string, Target>()
  /** Holds new targets in `initial`. */
  stuck = false
  /** Whether it ever had a target: an empty group that never had one was not taken away. */
  hadTargets = false
  readonly #around: Surroundings
  #turn = 0

  constructor(json: TargetGroupJson, around: Surroundings) {
    this.json = json
    this.#around = around
  }

  get arn(): string {
    return this.json.TargetGroupArn!
  }

  register(description: TargetDescription): void {
    const key = keyOf(description, this.json.Port!)
    this.targets.get(key)?.cancel()
    const target = new Target(description.Id!, description.Port ?? this.json.Port!)
    this.targets.set(key, target)
    this.hadTargets = true
    this.#watch(target)
    this.#around.changed()
  }

  deregister(description: TargetDescription): void {
    const key = keyOf(description, this.json.Port!)
    const target = this.targets.get(key)
    if (target === undefined || target.state === "draining") return
    target.cancel()
    // A target that gets no requests has nothing to finish.
    const delay = this.#isUsed ? Number(this.attributes.get("deregistration_delay.timeout_seconds")) * 1000 : 0
    target.state = "draining"
    target.reason = "Target.DeregistrationInProgress"
    const remove = () => {
      if (this.targets.get(key) === target) this.targets.delete(key)
      this.#around.changed()
    }
    if (delay === 0) return remove()
    const began = performance.now()
    target.cancel = this.#around.clock.after(delay, async () => {
      // Simulated time may have been faster than the requests: they get as much real time.
      await target.idle(began + delay - performance.now())
      remove()
    })
    this.#around.changed()
  }

  /** To be called when rules begin or cease to name the group. */
  use(): void {
    for (const target of this.targets.values()) {
      if (target.state === "draining") continue
      target.cancel()
      target.reset()
      this.#watch(target)
    }
    this.#around.changed()
  }

  health(wanted: ReadonlyArray<TargetDescription> | undefined): Array<TargetHealthDescription> {
    if (wanted === undefined || wanted.length === 0) return [...this.targets.values()].map((one) => this.#describe(one))
    return wanted.map((description) => {
      const target = this.targets.get(keyOf(description, this.json.Port!))
      const reason = "Target.NotRegistered"
      return target === undefined
        ? {
            Target: { Id: description.Id, Port: description.Port ?? this.json.Port },
            TargetHealth: { State: "unused", Reason: reason, Description: descriptions[reason] }
          }
        : this.#describe(target)
    })
  }

  /** The state of an instance here, as it is described. */
  stateOf(instance: string): string | undefined {
    const target = [...this.targets.values()].find(({ id }) => id === instance)
    return target === undefined ? undefined : this.#describe(target).TargetHealth!.State
  }

  get healthy(): number {
    return this.#count("healthy")
  }

  get unhealthy(): number {
    return this.#count("unhealthy") + this.#count("initial")
  }

  /** The registered targets that are not drained. */
  get registered(): ReadonlyArray<Target> {
    return [...this.targets.values()].filter(({ state }) => state !== "draining")
  }

  /** The target of the next request: a healthy one, or any one if none is healthy. */
  next(sticky?: string): Target | undefined {
    const healthy = this.registered.filter(({ state }) => state === "healthy")
    const candidates = healthy.length > 0 ? healthy : this.registered
    const same = candidates.find(({ id }) => id === sticky)
    return same ?? candidates[this.#turn++ % candidates.length]
  }

  remove(): void {
    for (const { cancel } of this.targets.values()) cancel()
    this.targets.clear()
  }

  get #isUsed(): boolean {
    return this.#around.isUsed(this.arn)
  }

  #count(state: TargetState): number {
    return this.#isUsed ? [...this.targets.values()].filter((target) => target.state === state).length : 0
  }

  #describe({ id, port, reason, state }: Target): TargetHealthDescription {
    const stopped = this.#around.portOf(id) === undefined && state !== "draining"
    const unused = stopped
      ? "Target.InvalidState"
      : this.#isUsed || state === "draining"
        ? undefined
        : "Target.NotInUse"
    const shown = unused ?? reason
    return {
      Target: { Id: id, Port: port },
      HealthCheckPort: String(port),
      TargetHealth: {
        State: unused === undefined ? state : "unused",
        ...(shown === undefined
          ? {}
          : { Reason: shown as never, Description: descriptions[shown] ?? "Health checks failed with these codes" })
      }
    }
  }

  #watch(target: Target): void {
    if (!this.#isUsed) return
    const interval = this.json.HealthCheckIntervalSeconds! * 1000
    const check = async () => {
      if (!this.#isUsed || target.state === "draining") return
      const failure = this.stuck && target.state === "initial" ? undefined : await this.#probe(target.id)
      // Meanwhile, it may have been taken away.
      if (!this.registered.includes(target)) return
      if (this.stuck && target.state === "initial") target.reason = "Elb.InitialHealthChecking"
      else this.#judge(target, failure)
      target.cancel = this.#around.clock.after(interval, check)
    }
    // The first check does not wait for a whole interval.
    target.cancel = this.#around.clock.after(Math.min(interval, 1000), check)
  }

  #judge(target: Target, failure: string | undefined): void {
    const before = target.state
    if (failure === undefined) {
      target.failures = 0
      target.passes += 1
      // For a new target, one check is enough.
      if (target.state === "initial" || target.passes >= this.json.HealthyThresholdCount!) target.state = "healthy"
      if (target.state === "healthy") target.reason = undefined
    } else {
      target.passes = 0
      target.failures += 1
      if (target.failures >= this.json.UnhealthyThresholdCount!) target.state = "unhealthy"
      if (target.state !== "healthy") {
        target.reason = target.state === "initial" ? "Elb.InitialHealthChecking" : failure
      }
    }
    if (before !== target.state) this.#around.changed()
  }

  /** The reason why a target does not pass; undefined if it does. */
  #probe(instance: string): Promise<string | undefined> {
    const port = this.#around.portOf(instance)
    if (port === undefined) return Promise.resolve("Target.FailedHealthChecks")
    const { HealthCheckPath, HealthCheckTimeoutSeconds, Matcher } = this.json
    // A limit in real time that even a busy machine keeps.
    const timeout = this.#around.clock.real(HealthCheckTimeoutSeconds! * 1000, 5000)
    return new Promise((resolve) => {
      const call = request(
        {
          host: "127.0.0.1",
          port,
          path: HealthCheckPath ?? "/",
          timeout,
          headers: { "user-agent": prober },
          agent: false
        },
        (answer) => {
          answer.resume()
          resolve(matches(Matcher?.HttpCode ?? "200", answer.statusCode!) ? undefined : "Target.ResponseCodeMismatch")
        }
      )
      call.once("timeout", () => {
        resolve("Target.Timeout")
        call.destroy()
      })
      call.once("error", () => resolve("Target.FailedHealthChecks"))
      call.end()
    })
  }
}

/** Whether a matcher, `200,202` or `200-299`, has a status. */
const matches = (matcher: string, status: number): boolean =>
  matcher.split(",").some((part) => {
    const [from, to = from] = part.split("-").map(Number)
    return status >= from! && status <= to!
  })
