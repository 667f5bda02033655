/**
 * How the provider reaches AWS. It loads with the first operation, so that a configuration that names the plug-in costs
 * commands nothing that only read the store.
 */
import type { Measurement, Mutation, Observation, PlanTarget, ProviderReason, StackRef } from "@signalbox/core/spi"
import { defaultPoll, type PollOptions } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { Groups } from "../groups/Groups.ts"
import { alarmStates } from "../cloudwatch/Alarms.ts"
import { Aws, type AwsOptions, targetOf } from "../client/index.ts"
import { Requests } from "../cloudwatch/Requests.ts"
import { measure } from "../cloudwatch/TargetMetrics.ts"
import { loadBalancerIn, parseArn, targetGroupIn } from "../client/arns.ts"
import { BalancerCalls } from "../elb/BalancerCalls.ts"
import { decode, forwarderOf } from "./AlbProperties.ts"
import { healthyOf, observation, see } from "./SeenService.ts"
import type { AlbWork } from "./AlbWork.ts"

/**
 * How the provider works. `poll` is the time between two polls, in milliseconds; `metrics` whether gates judge what
 * CloudWatch has counted (default true).
 */
export interface AlbOptions extends AwsOptions {
  readonly metrics?: boolean
  readonly poll?: PollOptions
}

/** A release, and the window, whose ends are ends of minutes. */
interface Window {
  readonly releaseId: string
  readonly from: number
  readonly to: number
}

export class AlbAccess {
  readonly #aws: Aws
  readonly #options: AlbOptions

  constructor(options: AlbOptions) {
    this.#aws = new Aws(options)
    this.#options = options
  }

  workOn(ref: StackRef, mutation: Mutation): Effect.Effect<AlbWork, ProviderReason> {
    return Effect.map(decode(ref.properties), (properties) => {
      const forwarder = forwarderOf(properties)
      const place = { region: parseArn(forwarder).region, assumeRole: properties.assumeRole }
      return {
        ref,
        place,
        properties,
        mutation,
        calls: new BalancerCalls(this.#aws, place),
        groups: new Groups(this.#aws, place),
        requests: new Requests(this.#aws, place, loadBalancerIn(forwarder)),
        poll: this.#options.poll ?? defaultPoll
      }
    })
  }

  observe(work: AlbWork): Effect.Effect<Observation, ProviderReason> {
    return Effect.map(see(work, work.properties), (seen) => observation(seen, work.properties))
  }

  target({ place }: AlbWork): Effect.Effect<PlanTarget, ProviderReason> {
    return targetOf(this.#aws, place)
  }

  alarmStates({ place }: AlbWork, names: ReadonlyArray<string>) {
    return alarmStates(this.#aws, place, names)
  }

  measure(work: AlbWork, { releaseId, ...window }: Window): Effect.Effect<Measurement, ProviderReason> {
    return Effect.gen(function* () {
      const { candidate, stable } = yield* see(work, work.properties)
      const side = [candidate, stable].find((one) => one?.release?.id === releaseId)
      if (!side) return { until: window.from, requests: 0, errors: 0, latency: null, healthy: null }
      const measured = yield* measure(
        work.requests,
        {
          targetGroup: targetGroupIn(work.properties[side.colour].targetGroup),
          blamed: candidate === null || side === candidate
        },
        window
      )
      const total = Math.max(1, side.group.desired)
      const healthy = Math.min(100, Math.floor((100 * healthyOf(side)) / total))
      return { ...measured, healthy, healthUnit: "instance" as const }
    })
  }
}
