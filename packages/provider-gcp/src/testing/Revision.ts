/**
 * A revision of a service: its resource, and the instance that runs it.
 */
import { type App, type Images, type Instance, startInstance } from "./Apps.ts"
import {
  condition,
  type ConditionJson,
  lastOf,
  type Mutable,
  type RevisionJson,
  type TemplateJson
} from "./RunState.ts"

type Outcome = { readonly ready: true } | { readonly ready: false; readonly condition: Partial<ConditionJson> }

export class Revision {
  readonly json: Mutable<RevisionJson>
  readonly template: TemplateJson
  /** The name of its image, as it was pushed. */
  readonly image: string
  /** Settles when the revision is ready, or will never be. */
  readonly outcome: Promise<Outcome>
  #instance: Instance | undefined
  /** What its process wrote last. */
  readonly lines: Array<{ readonly text: string; readonly at: string }> = []
  #gone = false

  constructor(service: string, name: string, template: TemplateJson, generation: string, images: Images) {
    const image = template.containers![0]!.image
    const digest = images.resolve(image)
    const { revision: _, ...spec } = template
    const now = new Date().toISOString()
    this.image = images.pushedAs(digest ?? image)
    this.template = { ...template, revision: name }
    this.json = {
      ...spec,
      // A tag may be moved; a revision runs what it was when it was created.
      containers: template.containers!.map((one, index) => (index === 0 ? { ...one, image: digest ?? image } : one)),
      name: `${service}/revisions/${name}`,
      service: lastOf(service),
      generation,
      createTime: now,
      updateTime: now,
      reconciling: true,
      conditions: [condition("Ready", "CONDITION_RECONCILING")],
      logUri: `https://console.cloud.google.com/logs/viewer?advancedFilter=${encodeURIComponent(`resource.labels.revision_name="${name}"`)}`,
      etag: `"${generation}"`
    }
    this.outcome = this.#start(digest === undefined ? undefined : images.app(digest), image)
  }

  get name(): string {
    return lastOf(this.json.name)
  }

  get port(): number | undefined {
    return this.#instance?.port
  }

  get ready(): boolean {
    return this.#instance !== undefined
  }

  async remove(): Promise<void> {
    this.#gone = true
    await this.#instance?.stop()
  }

  async #start(app: App | undefined, image: string): Promise<Outcome> {
    if (app === undefined) {
      return this.#failed({ reason: "CONTAINER_MISSING", message: `Image '${image}' not found.` })
    }
    try {
      const env = Object.fromEntries(
        (this.template.containers![0]!.env ?? []).map((one) => [one.name, one.value ?? ""])
      )
      const instance = await startInstance(
        app,
        { ...env, K_REVISION: this.name, K_SERVICE: this.json.service },
        (text) => {
          this.lines.push({ text, at: new Date().toISOString() })
          if (this.lines.length > 1_000) this.lines.shift()
        }
      )
      if (this.#gone) await instance.stop()
      else this.#instance = instance
    } catch (error) {
      const message = `Revision '${this.name}' is not ready and cannot serve traffic. ${(error as Error).message}`
      return this.#failed({ revisionReason: "HEALTH_CHECK_CONTAINER_ERROR", message })
    }
    this.#became(condition("Ready", "CONDITION_SUCCEEDED"))
    return { ready: true }
  }

  #failed(why: Partial<ConditionJson>): Outcome {
    this.#became(condition("Ready", "CONDITION_FAILED", why))
    return { ready: false, condition: why }
  }

  #became(ready: ConditionJson): void {
    this.json.reconciling = false
    this.json.updateTime = ready.lastTransitionTime
    this.json.conditions = [ready]
  }
}
