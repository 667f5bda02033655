/**
 * The calls of Cloud Run, as effects with classified failures and a deadline.
 */
import type { Mutation, ProviderError, ProviderReason } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type Gcp, gcpReason, type RunClients } from "../client/index.ts"
import type { Annotations, JsonObject, RunRevision, RunService, Target } from "./RunService.ts"
import { revisionFrom, serviceFrom } from "./RunService.ts"

/** What a step fails with; the provider adds the name of the stack. */
export type Failure = ProviderReason | ProviderError

/** Where services are: `projects/shop/locations/europe-west1`. */
export interface Place {
  readonly project: string
  readonly region: string
}

/** What a change sends; the mask follows from what is there. */
export interface Change {
  readonly annotations: Annotations
  readonly traffic: ReadonlyArray<Target>
  readonly template?: JsonObject
  readonly invokerIamDisabled?: boolean
}

/** Longer than an answer takes: what goes on afterwards is an operation. */
const longest = 10_000

/** So much earlier than the lease does a call end. */
const margin = 500

const byRevision = "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION" as const
const latest = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST" as const

const maskOf = {
  annotations: "annotations",
  traffic: "traffic",
  template: "template",
  invokerIamDisabled: "invoker_iam_disabled"
}

const bodyOf = ({ traffic, ...rest }: Change) => ({
  ...rest,
  traffic: traffic.map(({ percent, revision, tag }) => ({
    ...(revision === null ? { type: latest } : { type: byRevision, revision }),
    percent,
    ...(tag === undefined ? {} : { tag })
  }))
})

const orMissing = Effect.catch((reason: ProviderReason) =>
  reason._tag === "Missing" ? Effect.succeed(null) : Effect.fail(reason)
)

export class Calls {
  readonly #gcp: Gcp
  readonly #parent: string

  constructor(gcp: Gcp, { project, region }: Place) {
    this.#gcp = gcp
    this.#parent = `projects/${project}/locations/${region}`
  }

  nameOf(service: string): string {
    return `${this.#parent}/services/${service}`
  }

  /** A service; null if there is none. */
  service(service: string): Effect.Effect<RunService | null, ProviderReason> {
    return this.#read("services.get", async ({ services }, options) => {
      const [found] = await services.getService({ name: this.nameOf(service) }, options)
      return serviceFrom(found)
    }).pipe(orMissing)
  }

  /** A revision of a service; null if there is none. */
  revision(service: string, revision: string): Effect.Effect<RunRevision | null, ProviderReason> {
    return this.#read("revisions.get", async ({ revisions }, options) => {
      const [found] = await revisions.getRevision({ name: `${this.nameOf(service)}/revisions/${revision}` }, options)
      return revisionFrom(found)
    }).pipe(orMissing)
  }

  /** The revisions of a service, newest first. */
  revisions(service: string): Effect.Effect<ReadonlyArray<RunRevision>, ProviderReason> {
    return this.#read("revisions.list", async ({ revisions }, options) => {
      const [found] = await revisions.listRevisions({ parent: this.nameOf(service) }, options)
      return found.map(revisionFrom)
    })
  }

  /** Begins to create a service, and returns the name of the operation. */
  create(service: string, mutation: Mutation, change: Change): Effect.Effect<string, Failure> {
    return this.#change("services.create", mutation, async ({ services }, options) => {
      const [operation] = await services.createService(
        { parent: this.#parent, serviceId: service, service: bodyOf(change) },
        options
      )
      return operation.name ?? ""
    })
  }

  /**
   * Begins to change a service that has not been changed since it was read, and returns the name of the operation.
   * Without a mask, the client would also empty the labels.
   */
  update(service: RunService, mutation: Mutation, change: Change): Effect.Effect<string, Failure> {
    return this.#change("services.update", mutation, async ({ services }, options) => {
      const paths = Object.keys(change).map((field) => maskOf[field as keyof Change])
      const [operation] = await services.updateService(
        { service: { name: service.name, etag: service.etag, ...bodyOf(change) }, updateMask: { paths } },
        options
      )
      return operation.name ?? ""
    })
  }

  /** Begins to delete a service that has not been changed since it was read. */
  remove({ etag, name }: RunService, mutation: Mutation): Effect.Effect<string, Failure> {
    return this.#change("services.delete", mutation, async ({ services }, options) => {
      const [operation] = await services.deleteService({ name, etag }, options)
      return operation.name ?? ""
    })
  }

  /**
   * Runs the guard, and then calls with a deadline before the end of the lease. A call that was throttled had no effect,
   * so it is made again; after any other failure, only a look tells.
   */
  #change<A>(call: string, { guard, leaseLeft }: Mutation, use: Use<A>): Effect.Effect<A, Failure> {
    const once = Effect.gen({ self: this }, function* () {
      const left = Duration.toMillis(yield* leaseLeft) - margin
      yield* guard
      if (left <= 0) {
        const message = `the lease does not last long enough for run.${call}`
        return yield* Effect.fail<ProviderReason>({ _tag: "Unavailable", message })
      }
      return yield* this.#once(call, Math.min(longest, left), use)
    })
    return again(once, ({ _tag }) => _tag === "Throttled")
  }

  #read<A>(call: string, use: Use<A>): Effect.Effect<A, ProviderReason> {
    return again(this.#once(call, longest, use), ({ _tag }) => _tag === "Throttled" || _tag === "Unavailable")
  }

  #once<A>(call: string, timeout: number, use: Use<A>): Effect.Effect<A, ProviderReason> {
    return Effect.tryPromise({
      try: async () => use(await this.#gcp.run(), { timeout }),
      catch: (error) => gcpReason(error, `run.${call}`)
    }).pipe(Effect.withSpan(`CloudRun.${call}`))
  }
}

/** So many times more is a call made that failed quickly, so that one lost answer does not repeat a whole step. */
const repeats = 4

/** What takes longer is left to the engine, which knows how long a step may wait. */
const quick = 1_000

/** Repeats a call that fails quickly and may be repeated soon. */
const again = <A, E extends Failure>(
  call: Effect.Effect<A, E>,
  mayRepeat: (failure: { readonly _tag: string }) => boolean
): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    for (let repeat = 0; ; repeat++) {
      const began = yield* Clock.currentTimeMillis
      const result = yield* Effect.result(call)
      if (result._tag === "Success") return result.success
      const { failure } = result
      const pause = failure._tag === "Throttled" ? failure.retryAfterMs : 50 * 2 ** repeat
      const slow = pause > quick || (yield* Clock.currentTimeMillis) - began > quick
      if (!mayRepeat(failure) || slow || repeat === repeats) return yield* Effect.fail(failure)
      yield* Effect.sleep(pause)
    }
  })

type Use<A> = (clients: RunClients, options: { readonly timeout: number }) => Promise<A>
