/**
 * The calls of Cloud Run that are simulated, as functions from JSON to JSON.
 */
import { ApiError } from "./ApiError.ts"
import { Images } from "./Apps.ts"
import type { Monitoring } from "./Monitoring.ts"
import { firstVersion, knative, projectNumber, replaced } from "./Knative.ts"
import { Jobs } from "./Jobs.ts"
import { Operations } from "./Operations.ts"
import type { JsonMessage } from "./Protos.ts"
import { type Handler, lastOf, masked } from "./RunState.ts"
import { type Pace, Service } from "./Service.ts"

const parentOf = (name: string): string => name.slice(0, name.lastIndexOf("/", name.lastIndexOf("/") - 1))
const text = (value: unknown): string => (typeof value === "string" ? value : "")

export class Run {
  readonly images = new Images()
  readonly services = new Map<string, Service>()
  readonly jobs: Jobs
  readonly handlers: Readonly<Record<string, Readonly<Record<string, Handler>>>>
  readonly #operations = new Operations()
  readonly #pace: Pace
  readonly #revisionLimit: number
  readonly #monitoring: Monitoring

  constructor(pace: Pace, monitoring: Monitoring, revisionLimit = 1000) {
    this.#pace = pace
    this.#revisionLimit = revisionLimit
    this.#monitoring = monitoring
    this.jobs = new Jobs(this.images, this.#operations, pace)
    this.handlers = { ...this.#handlers, ...this.jobs.handlers }
  }

  /** By the name of the service and of the method. */
  readonly #handlers: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    "google.cloud.run.v2.Services": {
      GetService: ({ name }) => this.#service(text(name)).read(),
      ListServices: ({ parent }) => ({
        services: [...this.services.values()]
          .map(({ json }) => json as unknown as JsonMessage)
          .filter((json) => text(json["name"]).startsWith(`${text(parent)}/`))
      }),
      CreateService: (request, modifier) => this.#create(request, modifier),
      UpdateService: (request, modifier) => this.#update(request, modifier),
      DeleteService: (request) => this.#delete(request)
    },
    [firstVersion]: {
      GetService: ({ name }) => {
        const service = this.#numbered(text(name))
        service.read()
        return knative(service.json)
      },
      ReplaceService: ({ name, service }, modifier) => {
        const found = this.#numbered(text(name))
        const change = replaced(found.json, service as JsonMessage)
        found.change(change, Object.keys(change), modifier, this.#operations.begin(parentOf(found.json.name)))
        return knative(found.json)
      }
    },
    "google.cloud.run.v2.Revisions": {
      GetRevision: ({ name }) => this.#revision(text(name)).json as unknown as JsonMessage,
      ListRevisions: ({ parent }) => ({
        revisions: [...this.#service(text(parent)).revisions.values()]
          .map(({ json }) => json as unknown as JsonMessage)
          .reverse()
      }),
      DeleteRevision: async ({ name }) => {
        await this.prune(text(name))
        const operation = this.#operations.begin(parentOf(parentOf(parentOf(text(name)))))
        operation.succeed({})
        return operation.json
      }
    },
    "google.longrunning.Operations": {
      GetOperation: ({ name }) => this.#operations.get(text(name))
    }
  }

  /** Removes a revision, as the real service does with the oldest ones that have no traffic. */
  async prune(name: string): Promise<void> {
    const revision = this.#revision(name)
    const service = this.#service(parentOf(name))
    if (service.isRouted(revision.name)) {
      throw new ApiError("FAILED_PRECONDITION", `Revision '${revision.name}' has traffic or a tag.`)
    }
    service.revisions.delete(revision.name)
    await revision.remove()
  }

  /** Where a service answers, or one of its tags; undefined if there is none. */
  address(
    project: string,
    { region, serviceId, tag }: { readonly region: string; readonly serviceId: string; readonly tag?: string }
  ): string | undefined {
    const json = this.services.get(`projects/${project}/locations/${region}/services/${serviceId}`)?.json
    return tag === undefined ? json?.uri : json?.trafficStatuses.find((target) => target.tag === tag)?.uri
  }

  async close(): Promise<void> {
    const all = [...this.services.values()]
    this.services.clear()
    await Promise.all([this.jobs.close(), ...all.map((service) => service.remove())])
  }

  async #create({ parent, service, serviceId }: JsonMessage, modifier: string): Promise<JsonMessage> {
    const name = `${text(parent)}/services/${text(serviceId)}`
    if (this.services.has(name)) throw new ApiError("ALREADY_EXISTS", `Service '${text(serviceId)}' already exists.`)
    const created = new Service(name, this.images, this.#pace, this.#monitoring)
    const operation = this.#operations.begin(text(parent))
    created.change(service as JsonMessage, [], modifier, operation)
    this.services.set(name, created)
    return operation.json
  }

  async #update({ service, updateMask }: JsonMessage, modifier: string): Promise<JsonMessage> {
    const sent = service as JsonMessage
    const found = this.#service(text(sent["name"]))
    checkEtag(found, sent["etag"])
    const operation = this.#operations.begin(parentOf(found.json.name))
    found.change(sent, masked(text(updateMask)), modifier, operation)
    const idle = [...found.revisions.values()].filter(({ name }) => !found.isRouted(name))
    for (const { json } of idle.slice(0, Math.max(0, found.revisions.size - this.#revisionLimit))) {
      if (json.name !== found.json.latestCreatedRevision) await this.prune(json.name)
    }
    return operation.json
  }

  async #delete({ etag, name }: JsonMessage): Promise<JsonMessage> {
    const found = this.#service(text(name))
    checkEtag(found, etag)
    const operation = this.#operations.begin(parentOf(found.json.name))
    found.json["deleteTime"] = new Date().toISOString()
    found.json.reconciling = true
    setTimeout(() => {
      this.services.delete(found.json.name)
      void found.remove().then(() => operation.succeed({ name: found.json.name }))
    }, this.#pace.operationMillis).unref()
    return operation.json
  }

  #service(name: string): Service {
    const found = this.services.get(name)
    if (found === undefined)
      throw new ApiError("NOT_FOUND", `Resource '${lastOf(name)}' of kind 'SERVICE' does not exist.`)
    return found
  }

  /** A service whose project may be named by its number. */
  #numbered(name: string): Service {
    const rest = (full: string) => full.slice(full.indexOf("/locations/"))
    const known = name.startsWith(`projects/${projectNumber}/`)
      ? [...this.services.keys()].find((key) => rest(key) === rest(name))
      : undefined
    return this.#service(known ?? name)
  }

  #revision(name: string) {
    const found = this.services.get(parentOf(name))?.revisions.get(lastOf(name))
    if (found === undefined) {
      throw new ApiError("NOT_FOUND", `Resource '${lastOf(name)}' of kind 'REVISION' does not exist.`)
    }
    return found
  }
}

const checkEtag = ({ json }: Service, etag: unknown): void => {
  if (typeof etag !== "string" || etag === "" || etag === json.etag) return
  throw new ApiError("ABORTED", `Conflict for resource '${lastOf(json.name)}': the etag '${etag}' is not current.`)
}
