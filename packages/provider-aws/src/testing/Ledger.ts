/**
 * What a test may want to count: calls, requests, and the capacity that was left at any time.
 */
import type { AutoScaling } from "./autoscaling/AutoScaling.ts"
import { groupsOf } from "./elb/Actions.ts"
import type { LoadBalancing } from "./elb/LoadBalancing.ts"
import type { GroupTraffic, Traffic } from "./elb/Traffic.ts"
import type { ReceivedCalls, RecordedCall } from "./wire/ReceivedCalls.ts"

/** How many instances serve. */
export interface Capacity {
  readonly now: number
  /** The lowest number since it was first reached what was asked for. */
  readonly minimum: number
}

/**
 * The ledger of a simulator.
 *
 * *Details*: `calls` are all calls in the order of their answers, `writes` the ones that change something, without the edits of
 * others. `requests` counts by the ARN of a target group. `toTargetsTakenAway` are requests that were sent to a group without
 * targets that had some before, or to an instance that had ended. `capacity` is the number of serving instances: of an Auto
 * Scaling group by its name, of a listener by its ARN (the healthy targets of the groups that its default rule gives a weight),
 * and of a rule by its ARN.
 */
export interface Ledger {
  readonly calls: ReadonlyArray<RecordedCall>
  readonly writes: ReadonlyArray<RecordedCall>
  readonly requests: ReadonlyMap<string, Readonly<GroupTraffic>>
  readonly toTargetsTakenAway: number
  readonly capacity: ReadonlyMap<string, Capacity>
  /** Begins to count from 0. */
  readonly reset: () => void
}

export class LedgerOf implements Ledger {
  readonly capacity = new Map<string, Capacity>()
  readonly #calls: ReceivedCalls
  readonly #traffic: Traffic
  readonly #balancing: LoadBalancing
  readonly #scaling: () => AutoScaling

  constructor(calls: ReceivedCalls, traffic: Traffic, balancing: LoadBalancing, scaling: () => AutoScaling) {
    this.#calls = calls
    this.#traffic = traffic
    this.#balancing = balancing
    this.#scaling = scaling
  }

  get calls(): ReadonlyArray<RecordedCall> {
    return this.#calls.all
  }

  get writes(): ReadonlyArray<RecordedCall> {
    return this.#calls.writes
  }

  get requests(): ReadonlyMap<string, Readonly<GroupTraffic>> {
    return this.#traffic.groups
  }

  get toTargetsTakenAway(): number {
    return this.#traffic.toTargetsTakenAway
  }

  readonly reset = (): void => {
    this.#calls.all.length = 0
    this.#traffic.groups.clear()
    this.#traffic.toTargetsTakenAway = 0
    this.capacity.clear()
    this.observe()
  }

  /** Looks at what serves now. */
  observe(): void {
    for (const { serving, settings } of this.#scaling().groups.values()) {
      this.#note(settings.name, serving.length, settings.desired)
    }
    for (const { listeners } of this.#balancing.balancers.values()) {
      for (const listener of listeners.values()) {
        for (const { actions, arn, priority } of listener.rules) {
          const weighted = groupsOf(actions).filter(({ Weight }) => Weight > 0)
          if (weighted.length === 0) continue
          const healthy = weighted.reduce(
            (sum, { TargetGroupArn }) => sum + (this.#balancing.groups.get(TargetGroupArn)?.healthy ?? 0),
            0
          )
          this.#note(priority === "default" ? listener.arn : arn, healthy, 1)
        }
      }
    }
  }

  /** The minimum begins where `wanted` is reached for the first time. */
  #note(key: string, now: number, wanted: number): void {
    const known = this.capacity.get(key)
    if (known === undefined && (now < wanted || wanted === 0)) return
    this.capacity.set(key, { now, minimum: Math.min(known?.minimum ?? now, now) })
  }
}
