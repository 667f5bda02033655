/**
 * How the provider reaches AWS. It loads with the first operation, so that a configuration that names the plug-in costs
 * commands nothing that only read the store.
 */
import {
  defaultPoll,
  type Mutation,
  type Observation,
  type PlanTarget,
  type PollOptions,
  type ProviderReason,
  type StackRef
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { Aws, type AwsOptions, targetOf } from "../client/index.ts"
import { alarmStates } from "../cloudwatch/Alarms.ts"
import { BalancerCalls } from "../elb/BalancerCalls.ts"
import { Groups } from "../groups/Groups.ts"
import { decode } from "./AsgProperties.ts"
import { type AsgWork, observation, see } from "./AsgWork.ts"

/** How the provider works. `poll` is the time between two polls, in milliseconds. */
export interface AsgOptions extends AwsOptions {
  readonly poll?: PollOptions
}

export class AsgAccess {
  readonly #aws: Aws
  readonly #options: AsgOptions

  constructor(options: AsgOptions) {
    this.#aws = new Aws(options)
    this.#options = options
  }

  workOn(ref: StackRef, mutation: Mutation): Effect.Effect<AsgWork, ProviderReason> {
    return Effect.map(decode(ref.properties), (properties) => {
      const place = { region: ref.region, assumeRole: properties.assumeRole }
      return {
        ref,
        place,
        properties,
        mutation,
        calls: new BalancerCalls(this.#aws, place),
        groups: new Groups(this.#aws, place),
        poll: this.#options.poll ?? defaultPoll
      }
    })
  }

  observe(work: AsgWork): Effect.Effect<Observation, ProviderReason> {
    return Effect.map(see(work), observation)
  }

  target({ place }: AsgWork): Effect.Effect<PlanTarget, ProviderReason> {
    return targetOf(this.#aws, place)
  }

  alarmStates({ place }: AsgWork, names: ReadonlyArray<string>) {
    return alarmStates(this.#aws, place, names)
  }
}
