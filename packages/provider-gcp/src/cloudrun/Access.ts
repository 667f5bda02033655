/**
 * How the provider for services reaches Cloud Run. It loads with the first operation, so that a configuration that names
 * the plug-in costs commands nothing that only read the store.
 */
import type {
  Measurement,
  Mutation,
  Observation,
  PlanTarget,
  PollOptions,
  ProviderReason,
  StackRef
} from "@signalbox/core/spi"
import { defaultPoll, noMutation } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { Gcp, type GcpOptions, placeOf, targetOf } from "../client/index.ts"
import { actAs, type ActAsOptions } from "../iam/ActAs.ts"
import { TimeSeries } from "../monitoring/TimeSeries.ts"
import { Calls } from "./Calls.ts"
import { lastLines, type LoggingOptions } from "../monitoring/LastLines.ts"
import { measure, type Window } from "./Metrics.ts"
import { type MetricsOptions, monitoringEndpoint } from "../monitoring/monitoringEndpoint.ts"
import { defaultService } from "./Names.ts"
import { decode } from "./Properties.ts"
import { observation, see, type Seen } from "./Seen.ts"
import type { Work } from "./Work.ts"

/** How the provider works. `poll` is the time between two polls, in milliseconds. */
export interface CloudRunOptions extends GcpOptions, MetricsOptions, LoggingOptions, ActAsOptions {
  readonly poll?: PollOptions
}

export class Access {
  readonly #gcp: Gcp
  readonly #options: CloudRunOptions

  constructor(options: CloudRunOptions) {
    this.#gcp = new Gcp(options)
    this.#options = options
  }

  workOn(ref: StackRef, mutation: Mutation): Effect.Effect<Work, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const properties = yield* decode(ref.properties)
      const place = yield* placeOf(this.#gcp, ref, properties.project)
      const name = properties.service ?? defaultService(ref)
      const poll = this.#options.poll ?? defaultPoll
      const written = (revision: string) => lastLines(this.#gcp, this.#options, { ...place, service: name, revision })
      const runsAs = (account: string | undefined) =>
        actAs(this.#gcp, this.#options, { account, isPreview: mutation === noMutation, name, project: place.project })
      const calls = new Calls(this.#gcp, place)
      return { ref, calls, place, name, properties, mutation, poll, lastLines: written, actAs: runsAs }
    })
  }

  #see({ calls, name, properties }: Work): Effect.Effect<Seen | null, ProviderReason> {
    return see(calls, name, properties.tag)
  }

  measure(work: Work, window: Window): Effect.Effect<Measurement, ProviderReason> {
    const series = new TimeSeries(this.#gcp, monitoringEndpoint(this.#options))
    return Effect.flatMap(this.#see(work), (seen) => measure(work, seen, series, window))
  }

  observe(work: Work): Effect.Effect<Observation, ProviderReason> {
    return Effect.map(this.#see(work), (seen) => observation(seen, work.place, work.name))
  }

  target({ place }: Work): Effect.Effect<PlanTarget, ProviderReason> {
    return targetOf(this.#gcp, place)
  }
}
