/**
 * The load balancers of an account, with their listeners and target groups.
 */
import type { LoadBalancer, Tag } from "@aws-sdk/client-elastic-load-balancing-v2"
import type { SimulatedClock } from "../SimulatedClock.ts"
import type { Place } from "../Place.ts"
import { AwsError } from "../wire/AwsError.ts"
import { DataPlane } from "./DataPlane.ts"
import type { Listener, Rule } from "./Listener.ts"
import type { TargetGroup } from "./TargetGroup.ts"
import type { Traffic } from "./Traffic.ts"

/** A load balancer of the kind `application`. */
export interface Balancer {
  readonly arn: string
  readonly json: LoadBalancer
  readonly listeners: Map<string, Listener>
}

/** What load balancers need of the rest of a simulator. */
export interface LoadBalancingOptions {
  readonly place: Place
  readonly clock: SimulatedClock
  readonly traffic: Traffic
  readonly portOf: (instance: string) => number | undefined
  /** How many nodes a load balancer has. */
  readonly nodes: number
  /** How long each node takes to learn of a change. */
  readonly delays: () => ReadonlyArray<number>
  /** How long a target may be silent, in real time. */
  readonly idleMillis: number
  /** How many resources a list has at most on one page. */
  readonly pageSize: number
  /** Is told whenever targets may have changed. */
  readonly changed: () => void
}

export class LoadBalancing {
  readonly balancers = new Map<string, Balancer>()
  readonly groups = new Map<string, TargetGroup>()
  /** Of everything but rules, by ARN. */
  readonly tags = new Map<string, ReadonlyArray<Tag>>()
  readonly options: LoadBalancingOptions
  readonly #planes = new Map<string, DataPlane>()

  constructor(options: LoadBalancingOptions) {
    this.options = options
  }

  balancer(arn: string): Balancer {
    const found = this.balancers.get(arn)
    if (found === undefined) throw new AwsError("LoadBalancerNotFound", `Load balancers '[${arn}]' not found`)
    return found
  }

  listener(arn: string): { readonly balancer: Balancer; readonly listener: Listener } {
    for (const balancer of this.balancers.values()) {
      const listener = balancer.listeners.get(arn)
      if (listener !== undefined) return { balancer, listener }
    }
    throw new AwsError("ListenerNotFound", "One or more listeners not found")
  }

  rule(arn: string): { readonly balancer: Balancer; readonly listener: Listener; readonly rule: Rule } {
    for (const balancer of this.balancers.values()) {
      for (const listener of balancer.listeners.values()) {
        const rule = listener.rules.find((one) => one.arn === arn)
        if (rule !== undefined) return { balancer, listener, rule }
      }
    }
    throw new AwsError("RuleNotFound", "One or more rules not found")
  }

  group(arn: string): TargetGroup {
    const found = this.groups.get(arn)
    if (found === undefined) throw new AwsError("TargetGroupNotFound", "One or more target groups not found")
    return found
  }

  /** The load balancers whose rules name a group. */
  usersOf(arn: string): ReadonlyArray<Balancer> {
    return [...this.balancers.values()].filter(({ listeners }) =>
      [...listeners.values()].some((listener) => listener.groups.includes(arn))
    )
  }

  /** Opens the data plane of a new listener. */
  async serve(balancer: Balancer, listener: Listener): Promise<void> {
    const { clock, idleMillis, portOf, traffic } = this.options
    const behind = { clock, traffic, portOf, idleMillis, group: (arn: string) => this.groups.get(arn) }
    this.#planes.set(listener.arn, await new DataPlane(listener, balancer.arn, behind).open())
  }

  /** Where the data plane of a listener is. */
  url(listener: string): string {
    return this.#planes.get(this.listener(listener).listener.arn)!.url
  }

  async removeListener(balancer: Balancer, arn: string): Promise<void> {
    await this.changing(() => balancer.listeners.delete(arn))
    await this.#planes.get(arn)?.close()
    this.#planes.delete(arn)
  }

  /** Makes a change to rules, and lets groups know that are in use from then on. */
  changing<A>(change: () => A): A {
    const before = new Set([...this.groups.keys()].filter((arn) => this.usersOf(arn).length > 0))
    const result = change()
    for (const group of this.groups.values()) {
      if (before.has(group.arn) !== this.usersOf(group.arn).length > 0) group.use()
    }
    this.options.changed()
    return result
  }

  propagate(listener: Listener): void {
    listener.propagate(this.options.delays())
  }

  async close(): Promise<void> {
    for (const group of this.groups.values()) group.remove()
    await Promise.all([...this.#planes.values()].map((plane) => plane.close()))
  }
}
