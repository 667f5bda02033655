/**
 * A service of Cloud Run: brought step by step to what was asked for, as the real one does it.
 */
import { Address } from "./Address.ts"
import type { Monitoring } from "./Monitoring.ts"
import { ApiError } from "./ApiError.ts"
import type { Images } from "./Apps.ts"
import type { Operation } from "./Operations.ts"
import type { JsonMessage } from "./Protos.ts"
import { Revision } from "./Revision.ts"
import {
  applied,
  byRevision,
  checkService,
  condition,
  lastOf,
  latest,
  type Mutable,
  type ServiceJson,
  shortHash,
  specOf,
  type TargetJson,
  type TemplateJson
} from "./RunState.ts"

/** How a simulated service behaves: all times in milliseconds. */
export interface Pace {
  /** How long a change takes at least. */
  operationMillis: number
  /** How often a service is read at least until its change ends. */
  operationReads: number
  /** How long requests are still divided as before, after the API says otherwise. */
  routingMillis: number
}

type Effective = ReadonlyArray<TargetJson & { readonly revision: string }>

export class Service {
  readonly json: Mutable<ServiceJson>
  readonly revisions = new Map<string, Revision>()
  readonly #images: Images
  readonly #pace: Pace
  readonly #monitoring: Monitoring
  readonly #addresses = new Map<string, Address>()
  #operation: Operation | undefined
  #effective: Effective = []
  #reads = 0
  #onRead = () => {}

  constructor(name: string, images: Images, pace: Pace, monitoring: Monitoring) {
    const now = new Date().toISOString()
    this.#images = images
    this.#pace = pace
    this.#monitoring = monitoring
    this.json = {
      name,
      uid: shortHash(name, now),
      generation: "0",
      observedGeneration: "0",
      template: {},
      traffic: [],
      trafficStatuses: [],
      createTime: now,
      updateTime: now,
      etag: "",
      reconciling: true,
      terminalCondition: condition("Ready", "CONDITION_RECONCILING"),
      conditions: []
    }
  }

  get id(): string {
    return lastOf(this.json.name)
  }

  /** Takes a change, and begins to carry it out. */
  change(sent: JsonMessage, paths: ReadonlyArray<string>, modifier: string, operation: Operation): void {
    const next = applied(this.json, sent, paths)
    const traffic = next.traffic.length === 0 ? [{ type: latest, percent: 100 }] : next.traffic
    checkService(this.id, { template: next.template, traffic })
    const generation = String(Number(this.json.generation) + 1)
    const template = this.#revise(next.template, generation)
    const missing = traffic.find(
      ({ revision, type }) => type === byRevision && !this.revisions.has(lastOf(revision ?? ""))
    )
    if (missing !== undefined) {
      if (template !== undefined) this.revisions.delete(template.name)
      throw new ApiError("INVALID_ARGUMENT", `Revision '${missing.revision}' in the traffic does not exist.`)
    }
    Object.assign(this.json, next, {
      traffic,
      generation,
      etag: `"${shortHash(this.json.uid, generation)}"`,
      updateTime: new Date().toISOString(),
      lastModifier: modifier,
      reconciling: true,
      terminalCondition: condition("Ready", "CONDITION_RECONCILING")
    })
    if (template !== undefined) this.json.latestCreatedRevision = template.json.name
    this.#operation?.fail(new ApiError("ABORTED", "A newer change of the service took over."))
    this.#operation = operation
    void this.#reconcile(operation)
  }

  /** The service as it is read. */
  read(): JsonMessage {
    this.#reads += 1
    this.#onRead()
    return this.json as unknown as JsonMessage
  }

  /** Stops everything that belongs to it. */
  async remove(): Promise<void> {
    this.#operation = undefined
    await Promise.all([...this.revisions.values()].map((revision) => revision.remove()))
    await Promise.all([...this.#addresses.values()].map((address) => address.close()))
  }

  /** Whether requests can reach a revision: it has traffic or a tag. */
  isRouted(name: string): boolean {
    return this.#effective.some(({ revision }) => revision === name)
  }

  /** The revision that a template makes, if it makes one. */
  #revise(template: TemplateJson, generation: string): Revision | undefined {
    const known = this.revisions.get(template.revision ?? "")
    if (known !== undefined) {
      if (specOf(known.template) === specOf(template)) return undefined
      const message = `Revision named '${template.revision}' with different configuration already exists.`
      throw new ApiError("ALREADY_EXISTS", message)
    }
    const unchanged = template.revision === undefined && specOf(this.json.template) === specOf(template)
    if (unchanged) return undefined
    const name =
      template.revision ?? `${this.id}-${generation.padStart(5, "0")}-${shortHash(specOf(template)).slice(0, 3)}`
    const revision = new Revision(this.json.name, name, template, generation, this.#images)
    this.revisions.set(name, revision)
    return revision
  }

  async #reconcile(operation: Operation): Promise<void> {
    const { operationMillis, operationReads } = this.#pace
    const last = this.#reads + operationReads
    await new Promise((resolve) => setTimeout(resolve, operationMillis))
    while (this.#operation === operation && this.#reads < last) {
      await new Promise<void>((resolve) => (this.#onRead = resolve))
    }
    const created = this.revisions.get(lastOf(this.json.latestCreatedRevision!))
    const outcome = await created?.outcome
    if (this.#operation !== operation) return
    const created404 = { ready: false, condition: { message: "The latest revision was deleted." } } as const
    const { ready, ...failure } = outcome ?? created404
    if (ready) this.json.latestReadyRevision = created!.json.name
    const wanted = this.json.traffic.map((target): TargetJson & { readonly revision: string } => ({
      ...target,
      revision: target.type === latest ? lastOf(this.json.latestReadyRevision ?? "") : lastOf(target.revision!)
    }))
    const unready = wanted.find(({ revision }) => this.revisions.get(revision)?.ready !== true)
    if (unready === undefined) await this.#route(wanted)
    if (this.#operation !== operation) return
    this.#operation = undefined
    const why = "condition" in failure ? failure.condition : {}
    const message = why.message ?? `Revision '${unready?.revision}' is not ready and cannot serve traffic.`
    const failed = { reason: "REVISION_FAILED", message } as const
    const whole = ready && unready === undefined
    this.json.reconciling = false
    this.json.conditions = [
      condition("ConfigurationsReady", ready ? "CONDITION_SUCCEEDED" : "CONDITION_FAILED", ready ? {} : failed),
      condition(
        "RoutesReady",
        unready === undefined ? "CONDITION_SUCCEEDED" : "CONDITION_FAILED",
        unready === undefined ? {} : failed
      )
    ]
    this.json.terminalCondition = whole
      ? condition("Ready", "CONDITION_SUCCEEDED")
      : condition("Ready", "CONDITION_FAILED", failed)
    if (whole) {
      this.json.observedGeneration = this.json.generation
      operation.succeed(this.json as unknown as JsonMessage)
    } else operation.fail(new ApiError("FAILED_PRECONDITION", message))
  }

  async #route(wanted: Effective): Promise<void> {
    const tags = wanted.flatMap(({ tag }) => (tag === undefined ? [] : [tag]))
    for (const key of ["", ...tags]) {
      if (this.#addresses.has(key)) continue
      const address = new Address((revision, answer) => this.#monitoring.count(this.json.name, revision, answer))
      this.#addresses.set(key, await address.open())
    }
    this.#effective = wanted
    this.json.uri = this.#addresses.get("")!.url
    this.json["urls"] = [this.json.uri]
    this.json.trafficStatuses = wanted.map(({ revision, tag, ...rest }, index) => ({
      ...rest,
      // The real service names the revision of LATEST in no other way than by its type.
      ...(this.json.traffic[index]?.type === latest ? {} : { revision }),
      ...(tag === undefined ? {} : { tag, uri: this.#addresses.get(tag)!.url })
    }))
    const divide = () => {
      const share = (revision: string, percent: number) => {
        const port = this.revisions.get(revision)?.port
        return port === undefined ? [] : [{ revision, port, percent }]
      }
      this.#addresses.get("")!.divide(wanted.flatMap(({ percent = 0, revision }) => share(revision, percent)))
      for (const [key, address] of this.#addresses) {
        if (key === "") continue
        const target = wanted.find(({ tag }) => tag === key)
        address.divide(target === undefined ? [] : share(target.revision, 100))
      }
    }
    if (this.#pace.routingMillis === 0) divide()
    else setTimeout(divide, this.#pace.routingMillis).unref()
  }
}
