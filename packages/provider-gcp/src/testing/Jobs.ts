/**
 * The calls for jobs and their executions that are simulated, as functions from JSON to JSON.
 */
import { randomBytes } from "node:crypto"
import { ApiError } from "./ApiError.ts"
import type { Images } from "./Apps.ts"
import { Execution } from "./Execution.ts"
import type { Operations } from "./Operations.ts"
import type { JsonMessage } from "./Protos.ts"
import {
  condition,
  type ConditionJson,
  type Handler,
  lastOf,
  type Mutable,
  shortHash,
  type TemplateJson
} from "./RunState.ts"
import type { Pace } from "./Service.ts"

/** A job, as the API shows it in JSON. */
export interface JobJson {
  readonly name: string
  readonly generation: string
  readonly annotations?: Readonly<Record<string, string>>
  readonly template: JsonMessage
  readonly etag: string
  readonly reconciling: boolean
  readonly terminalCondition: ConditionJson
  readonly executionCount: number
  readonly [key: string]: unknown
}

interface Job {
  readonly json: Mutable<JobJson>
  readonly executions: Array<Execution>
  changes: number
}

const text = (value: unknown): string => (typeof value === "string" ? value : "")
const jobOf = (execution: string): string => execution.replace(/\/executions\/[^/]+$/, "")
const parentOf = (name: string): string => name.replace(/\/jobs\/.*$/, "")

/** What a client may set. */
const inputs = ["labels", "annotations", "client", "clientVersion", "launchStage", "binaryAuthorization", "template"]

export class Jobs {
  readonly jobs = new Map<string, Job>()
  readonly #images: Images
  readonly #operations: Operations
  readonly #pace: Pace

  constructor(images: Images, operations: Operations, pace: Pace) {
    this.#images = images
    this.#operations = operations
    this.#pace = pace
  }

  /** By the name of the service and of the method. */
  readonly handlers: Readonly<Record<string, Readonly<Record<string, Handler>>>> = {
    "google.cloud.run.v2.Jobs": {
      GetJob: ({ name }) => this.#job(name).json as unknown as JsonMessage,
      ListJobs: ({ parent }) => ({
        jobs: [...this.jobs.values()]
          .map(({ json }) => json as unknown as JsonMessage)
          .filter((json) => text(json["name"]).startsWith(`${text(parent)}/`))
      }),
      CreateJob: (request, modifier) => this.#create(request, modifier),
      UpdateJob: (request, modifier) => this.#update(request, modifier),
      DeleteJob: (request) => this.#delete(request),
      RunJob: (request) => this.#run(request)
    },
    "google.cloud.run.v2.Executions": {
      GetExecution: ({ name }) => this.#execution(name).json as unknown as JsonMessage,
      ListExecutions: ({ parent }) => ({
        executions: this.#job(parent)
          .executions.map(({ json }) => json as unknown as JsonMessage)
          .reverse()
      }),
      CancelExecution: ({ name }) => {
        const operation = this.#operations.begin(parentOf(text(name)), "Execution")
        this.#execution(name).cancel(operation)
        return operation.json
      }
    }
  }

  async close(): Promise<void> {
    const all = [...this.jobs.values()]
    this.jobs.clear()
    await Promise.all(all.flatMap(({ executions }) => executions.map((one) => one.stop())))
  }

  #create({ job, jobId, parent }: JsonMessage, modifier: string): JsonMessage {
    const id = text(jobId)
    const name = `${text(parent)}/jobs/${id}`
    if (!/^[a-z][a-z0-9-]{0,48}$/.test(id)) throw new ApiError("INVALID_ARGUMENT", `Job name '${id}' is not valid.`)
    if (this.jobs.has(name)) throw new ApiError("ALREADY_EXISTS", `Job '${id}' already exists.`)
    const now = new Date().toISOString()
    const created: Job = {
      json: {
        name,
        uid: shortHash(name, now),
        generation: "0",
        template: {},
        createTime: now,
        etag: "",
        reconciling: true,
        terminalCondition: condition("Ready", "CONDITION_RECONCILING"),
        executionCount: 0
      },
      executions: [],
      changes: 0
    }
    const answer = this.#change(created, job as JsonMessage, modifier)
    this.jobs.set(name, created)
    return answer
  }

  #update({ job }: JsonMessage, modifier: string): JsonMessage {
    const sent = job as JsonMessage
    const found = this.#job(sent["name"])
    checkEtag(found, sent["etag"])
    return this.#change(found, sent, modifier)
  }

  /** The whole job is replaced: an update has no mask. */
  #change(job: Job, sent: JsonMessage, modifier: string): JsonMessage {
    const template = (sent["template"] as JsonMessage | undefined)?.["template"] as unknown as TemplateJson | undefined
    const image = template?.containers?.[0]?.image
    if (image === undefined) throw new ApiError("INVALID_ARGUMENT", "template.template.containers: one is required.")
    for (const field of inputs) {
      if (sent[field] === undefined) delete (job.json as Record<string, unknown>)[field]
      else (job.json as Record<string, unknown>)[field] = sent[field]
    }
    const operation = this.#operations.begin(parentOf(job.json.name), "Job")
    Object.assign(job.json, {
      generation: String(Number(job.json.generation) + 1),
      updateTime: new Date().toISOString(),
      lastModifier: modifier,
      reconciling: true,
      terminalCondition: condition("Ready", "CONDITION_RECONCILING")
    })
    touch(job)
    const { generation } = job.json
    setTimeout(() => {
      if (job.json.generation !== generation) return
      job.json.reconciling = false
      job.json["observedGeneration"] = generation
      const missing = this.#images.resolve(image) === undefined
      const why = { reason: "CONTAINER_MISSING", message: `Image '${image}' not found.` }
      job.json.terminalCondition = missing
        ? condition("Ready", "CONDITION_FAILED", why)
        : condition("Ready", "CONDITION_SUCCEEDED")
      if (missing) operation.fail(new ApiError("FAILED_PRECONDITION", why.message))
      else operation.succeed(job.json as unknown as JsonMessage)
    }, this.#pace.operationMillis).unref()
    return operation.json
  }

  #run({ etag, name }: JsonMessage): JsonMessage {
    const job = this.#job(name)
    checkEtag(job, etag)
    const { template } = job.json
    const image = (template["template"] as unknown as TemplateJson).containers![0]!.image
    const digest = this.#images.resolve(image)
    if (digest === undefined) throw new ApiError("FAILED_PRECONDITION", `Image '${image}' not found.`)
    const operation = this.#operations.begin(parentOf(job.json.name), "Execution")
    const id = `${lastOf(job.json.name)}-${randomBytes(3).toString("hex").slice(0, 5)}`
    const execution = new Execution(`${job.json.name}/executions/${id}`, template, this.#images.app(digest), operation)
    job.executions.push(execution)
    job.json.executionCount += 1
    job.json["latestCreatedExecution"] = { name: execution.json.name, createTime: execution.json.createTime }
    touch(job)
    return operation.json
  }

  #delete({ etag, name }: JsonMessage): JsonMessage {
    const job = this.#job(name)
    checkEtag(job, etag)
    const operation = this.#operations.begin(parentOf(job.json.name), "Job")
    job.json["deleteTime"] = new Date().toISOString()
    job.json.reconciling = true
    setTimeout(() => {
      this.jobs.delete(job.json.name)
      void Promise.all(job.executions.map((one) => one.stop())).then(() => operation.succeed({ name: job.json.name }))
    }, this.#pace.operationMillis).unref()
    return operation.json
  }

  #job(name: unknown): Job {
    const found = this.jobs.get(text(name))
    if (found === undefined) {
      throw new ApiError("NOT_FOUND", `Resource '${lastOf(text(name))}' of kind 'JOB' does not exist.`)
    }
    return found
  }

  #execution(name: unknown): Execution {
    const found = this.jobs.get(jobOf(text(name)))?.executions.find(({ json }) => json.name === name)
    if (found === undefined) {
      throw new ApiError("NOT_FOUND", `Resource '${lastOf(text(name))}' of kind 'EXECUTION' does not exist.`)
    }
    return found
  }
}

/** Each change of a job, and each execution of it, has an etag of its own. */
const touch = (job: Job): void => {
  job.changes += 1
  job.json.etag = `"${shortHash(job.json.name, String(job.json["uid"]), String(job.changes))}"`
}

const checkEtag = ({ json }: Job, etag: unknown): void => {
  if (typeof etag !== "string" || etag === "" || etag === json.etag) return
  throw new ApiError("ABORTED", `Conflict for resource '${lastOf(json.name)}': the etag '${etag}' is not current.`)
}
