/**
 * What is counted of the traffic: as CloudWatch shows it, and for the ledger of a test.
 */
import type { MetricStore } from "../cloudwatch/MetricStore.ts"
import { suffixOf } from "../Place.ts"
import type { TargetGroup } from "./TargetGroup.ts"

const namespace = "AWS/ApplicationELB"

/** The requests to a target group. */
export interface GroupTraffic {
  /** Answered by a target. */
  answered: number
  /** Answered by a target with a status of 500 or more. */
  failed: number
  /** Answered by the load balancer, 502 or 503, because no target did. */
  unanswered: number
}

interface Answer {
  readonly status: number
  /** Whether a target gave it, and not the load balancer. */
  readonly own: boolean
  readonly millis: number
}

export class Traffic {
  readonly groups = new Map<string, GroupTraffic>()
  readonly #metrics: MetricStore
  /** Requests to groups or instances that had been taken away. */
  toTargetsTakenAway = 0

  constructor(metrics: MetricStore) {
    this.#metrics = metrics
  }

  answered(balancer: string, group: TargetGroup, { millis, own, status }: Answer): void {
    const counted = this.#of(group.arn)
    if (own) counted.answered += 1
    else counted.unanswered += 1
    if (own && status >= 500) counted.failed += 1
    this.#count("RequestCount", balancer, group.arn)
    if (own) {
      this.#count(`HTTPCode_Target_${Math.floor(status / 100)}XX_Count`, balancer, group.arn)
      this.#add("TargetResponseTime", balancer, group.arn, millis / 1000)
    } else {
      this.#count("TargetConnectionErrorCount", balancer, group.arn)
      this.#error(balancer, status)
    }
  }

  /** A request for which there was no target. */
  unavailable(balancer: string, group: TargetGroup | undefined): void {
    if (group !== undefined) {
      this.#of(group.arn).unanswered += 1
      if (group.hadTargets) this.taken()
    }
    this.#error(balancer, 503)
  }

  taken(): void {
    this.toTargetsTakenAway += 1
  }

  /** How many targets of a group are healthy now. */
  hosts(balancer: string, group: TargetGroup): void {
    this.#add("HealthyHostCount", balancer, group.arn, group.healthy, false)
    this.#add("UnHealthyHostCount", balancer, group.arn, group.unhealthy, false)
  }

  #of(arn: string): GroupTraffic {
    const known = this.groups.get(arn) ?? { answered: 0, failed: 0, unanswered: 0 }
    this.groups.set(arn, known)
    return known
  }

  #error(balancer: string, status: number): void {
    for (const name of ["HTTPCode_ELB_5XX_Count", `HTTPCode_ELB_${status}_Count`]) {
      this.#metrics.add(namespace, name, { LoadBalancer: suffixOf(balancer) }, 1)
    }
  }

  #count(name: string, balancer: string, group: string): void {
    this.#add(name, balancer, group, 1)
  }

  #add(name: string, balancer: string, group: string, value: number, whole = true): void {
    const LoadBalancer = suffixOf(balancer)
    this.#metrics.add(namespace, name, { LoadBalancer, TargetGroup: suffixOf(group) }, value)
    if (whole) this.#metrics.add(namespace, name, { LoadBalancer }, value)
  }
}
