/**
 * How the provider for jobs reaches Cloud Run. It loads with the first operation.
 */
import type { Mutation, Observation, PlanTarget, ProviderReason, StackRef } from "@signalbox/core/spi"
import { defaultPoll, noMutation } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { Gcp, placeOf, targetOf } from "../client/index.ts"
import { actAs } from "../iam/ActAs.ts"
import type { CloudRunOptions } from "../cloudrun/Access.ts"
import { defaultService } from "../cloudrun/Names.ts"
import { JobCalls } from "./JobCalls.ts"
import { decode } from "./JobProperties.ts"
import { observation, see } from "./SeenJob.ts"
import type { JobWork } from "./JobWork.ts"

export class JobAccess {
  readonly #gcp: Gcp
  readonly #options: CloudRunOptions

  constructor(options: CloudRunOptions) {
    this.#gcp = new Gcp(options)
    this.#options = options
  }

  workOn(ref: StackRef, mutation: Mutation): Effect.Effect<JobWork, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const properties = yield* decode(ref.properties)
      const place = yield* placeOf(this.#gcp, ref, properties.project)
      const name = properties.job ?? defaultService(ref)
      const poll = this.#options.poll ?? defaultPoll
      const runsAs = (account: string | undefined) =>
        actAs(this.#gcp, this.#options, { account, isPreview: mutation === noMutation, name, project: place.project })
      return { ref, calls: new JobCalls(this.#gcp, place), place, name, properties, mutation, poll, actAs: runsAs }
    })
  }

  observe({ calls, name, place }: JobWork): Effect.Effect<Observation, ProviderReason> {
    return Effect.map(see(calls, name), (seen) => observation(seen, place, name))
  }

  target({ place }: JobWork): Effect.Effect<PlanTarget, ProviderReason> {
    return targetOf(this.#gcp, place)
  }
}
