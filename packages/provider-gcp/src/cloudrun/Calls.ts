/**
 * The calls for services and their revisions.
 */
import type { Mutation, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { Caller, type Failure, type Gcp, type Place } from "../client/index.ts"
import type { Annotations, JsonObject, RunRevision, RunService, Target } from "./RunService.ts"
import { revisionFrom, serviceFrom } from "./RunService.ts"

/** What a change sends; the mask follows from what is there. */
export interface Change {
  readonly annotations: Annotations
  readonly traffic: ReadonlyArray<Target>
  readonly template?: JsonObject
  readonly invokerIamDisabled?: boolean
}

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

export class Calls {
  readonly #caller: Caller
  readonly #parent: string
  /** A revision that is ready never changes: a step reads it once. */
  readonly #ready = new Map<string, RunRevision>()

  constructor(gcp: Gcp, { project, region }: Place) {
    this.#caller = new Caller(gcp)
    this.#parent = `projects/${project}/locations/${region}`
  }

  nameOf(service: string): string {
    return `${this.#parent}/services/${service}`
  }

  /** A service; null if there is none. */
  service(service: string): Effect.Effect<RunService | null, ProviderReason> {
    return this.#caller.find("services.get", async ({ services }, options) => {
      const [found] = await services.getService({ name: this.nameOf(service) }, options)
      return serviceFrom(found)
    })
  }

  /** A revision of a service; null if there is none. */
  revision(service: string, revision: string): Effect.Effect<RunRevision | null, ProviderReason> {
    const name = `${this.nameOf(service)}/revisions/${revision}`
    const known = this.#ready.get(name)
    if (known !== undefined) return Effect.succeed(known)
    return this.#caller.find("revisions.get", async ({ revisions }, options) => {
      const [found] = await revisions.getRevision({ name }, options)
      const read = revisionFrom(found)
      if (read.state === "ready") this.#ready.set(name, read)
      return read
    })
  }

  /** The revisions of a service, newest first. */
  revisions(service: string): Effect.Effect<ReadonlyArray<RunRevision>, ProviderReason> {
    return this.#caller.read("revisions.list", async ({ revisions }, options) => {
      const [found] = await revisions.listRevisions({ parent: this.nameOf(service) }, options)
      return found.map(revisionFrom)
    })
  }

  /** Begins to create a service, and returns the name of the operation. */
  create(service: string, mutation: Mutation, change: Change): Effect.Effect<string, Failure> {
    return this.#caller.change("services.create", mutation, async ({ services }, options) => {
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
    return this.#caller.change("services.update", mutation, async ({ services }, options) => {
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
    return this.#caller.change("services.delete", mutation, async ({ services }, options) => {
      const [operation] = await services.deleteService({ name, etag }, options)
      return operation.name ?? ""
    })
  }
}
