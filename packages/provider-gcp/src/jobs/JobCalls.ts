/**
 * The calls for jobs and their executions.
 */
import type { Mutation, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { Caller, type Failure, type Gcp, type Place } from "../client/index.ts"
import type { JsonObject } from "../cloudrun/RunService.ts"
import { annotated, type JobExecution, executionFrom, type Job, jobFrom, type JobState } from "./Job.ts"

export class JobCalls {
  readonly #caller: Caller
  readonly #parent: string

  constructor(gcp: Gcp, { project, region }: Place) {
    this.#caller = new Caller(gcp)
    this.#parent = `projects/${project}/locations/${region}`
  }

  #nameOf(job: string): string {
    return `${this.#parent}/jobs/${job}`
  }

  /** A job; null if there is none. */
  job(job: string): Effect.Effect<Job | null, ProviderReason> {
    return this.#caller.find("jobs.get", async ({ jobs }, options) => {
      const [found] = await jobs.getJob({ name: this.#nameOf(job) }, options)
      return jobFrom(found)
    })
  }

  /** The executions of a job, oldest first. */
  executions(job: string): Effect.Effect<ReadonlyArray<JobExecution>, ProviderReason> {
    return Effect.map(
      this.#caller.find("executions.list", async ({ executions }, options) => {
        const [found] = await executions.listExecutions({ parent: this.#nameOf(job) }, options)
        return found.map(executionFrom).sort((a, b) => a.createdAt - b.createdAt)
      }),
      (found) => found ?? []
    )
  }

  /** Begins to create a job, and returns the name of the operation. */
  create(job: string, mutation: Mutation, template: JsonObject, state: JobState): Effect.Effect<string, Failure> {
    const recorded = annotated({}, state)
    return this.#caller.change("jobs.create", mutation, async ({ jobs }, options) => {
      const sent = { annotations: recorded.annotations, template: { ...template, ...recorded.template } }
      const [operation] = await jobs.createJob({ parent: this.#parent, jobId: job, job: sent }, options)
      return operation.name ?? ""
    })
  }

  /** Begins to change a job that has not been changed since it was read, and returns the name of the operation. */
  update(job: Job, mutation: Mutation, template: JsonObject, state: JobState): Effect.Effect<string, Failure> {
    const { etag, name, rest } = job
    const recorded = annotated(job.annotations, state)
    return this.#caller.change("jobs.update", mutation, async ({ jobs }, options) => {
      const sent = { annotations: recorded.annotations, template: { ...template, ...recorded.template } }
      const [operation] = await jobs.updateJob({ job: { ...rest, name, etag, ...sent } }, options)
      return operation.name ?? ""
    })
  }

  /** Runs a job that has not been changed or run since it was read, and returns the name of the operation. */
  run({ etag, name }: Job, mutation: Mutation): Effect.Effect<string, Failure> {
    return this.#caller.change("jobs.run", mutation, async ({ jobs }, options) => {
      const [operation] = await jobs.runJob({ name, etag }, options)
      return operation.name ?? ""
    })
  }

  /** Begins to cancel an execution. */
  cancel(job: Job, execution: JobExecution, mutation: Mutation): Effect.Effect<void, Failure> {
    return this.#caller.change("executions.cancel", mutation, async ({ executions }, options) => {
      await executions.cancelExecution({ name: `${job.name}/executions/${execution.name}` }, options)
    })
  }

  /** Begins to delete a job that has not been changed since it was read. */
  remove({ etag, name }: Job, mutation: Mutation): Effect.Effect<string, Failure> {
    return this.#caller.change("jobs.delete", mutation, async ({ jobs }, options) => {
      const [operation] = await jobs.deleteJob({ name, etag }, options)
      return operation.name ?? ""
    })
  }
}
