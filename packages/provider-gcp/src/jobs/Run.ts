/**
 * Runs the candidate to its end: configures the job, starts one execution, and records that it succeeded.
 */
import { pollUntil, reportProgress, type ProviderReason, type StackPlan } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import { hintFor } from "../cloudrun/Cause.ts"
import { stepOf } from "../marks.ts"
import { imageOf } from "../cloudrun/Record.ts"
import type { JsonObject } from "../cloudrun/RunService.ts"
import { conflict, fail } from "../cloudrun/Work.ts"
import type { Job, JobExecution } from "./Job.ts"
import { see, type SeenJob } from "./SeenJob.ts"
import { atRest, begin, change, keep, type JobWork } from "./JobWork.ts"

const taskOf = ({ template }: Job): JsonObject => (template["template"] ?? {}) as JsonObject

/** The release is at fault: its execution failed, or the job cannot be executed at all. */
const broken = (job: Job, execution: JobExecution | null): ProviderReason => {
  const { message, reason } = execution?.condition ?? job.terminal
  const hint = [
    hintFor(reason, imageOf(taskOf(job))),
    execution === null || execution.logUri === "" ? undefined : `Look at its log: ${execution.logUri}`
  ].flatMap((line) => (line === undefined ? [] : [line]))
  return {
    _tag: "Broken",
    message: message === "" ? `the job cannot be run: ${reason}` : message,
    ...(execution === null ? {} : { resource: execution.name }),
    ...(hint.length === 0 ? {} : { hint: hint.join(" ") })
  }
}

/** The plan relied on a job that others have changed since. */
const unchanged = ({ checkpoint }: StackPlan, seen: SeenJob | null): Effect.Effect<void, Failure> => {
  const [was, is] = [checkpoint.release, seen?.stable?.release ?? null]
  if (was?.id === is?.id) return Effect.void
  return fail({
    _tag: "Changed",
    message: "the job was changed since the plan was made",
    field: "template",
    was: was?.artifact ?? "nothing",
    is: is?.artifact ?? "nothing"
  })
}

/** Waits for the execution of the step; fails if the job was changed for another step meanwhile. */
const ended = ({ calls, name, poll }: JobWork, step: string): Effect.Effect<SeenJob, Failure> =>
  pollUntil(
    Effect.flatMap(see(calls, name), (seen): Effect.Effect<SeenJob | undefined, Failure> => {
      if (seen?.state?.step !== step || seen.candidate === null) return conflict(`${name} was changed meanwhile`)
      return Effect.succeed(seen.attempt?.state === "running" || seen.attempt === null ? undefined : seen)
    }),
    poll
  )

/** Whether what the job is configured for can be gone on with: it has not failed under another step. */
const goesOn = ({ attempt, state }: SeenJob, step: string): boolean =>
  state?.step === step || attempt?.state !== "failed"

/** Configures the job for the candidate, unless that was done already; null if it has run to its end. */
const configured = (work: JobWork, plan: StackPlan): Effect.Effect<SeenJob | null, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation, name } = work
    const release = plan.candidate
    let seen = yield* begin(work)
    if (seen?.job.deleting === true) {
      yield* atRest(work)
      seen = null
    }
    if (seen?.candidate === null && seen.stable?.release.id === release.id) return null
    if (seen?.candidate?.id !== release.id || !goesOn(seen, stepOf(mutation.idempotencyKey))) {
      yield* unchanged(plan, seen)
      yield* reportProgress(mutation, seen === null ? `create ${name}` : `configure ${name}`)
      const before = seen?.stable ?? null
      const template = (plan.data ?? {}) as JsonObject
      yield* change(work, seen?.job ?? null, { release, template, done: false, before })
    } else yield* atRest(work)
    return (yield* see(calls, name)) ?? (yield* conflict(`${name} was deleted meanwhile`))
  })

/** Runs the candidate of a plan. An execution that was started for it already is waited for, not started again. */
export const stage = (work: JobWork, plan: StackPlan): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation, name } = work
    const seen = yield* configured(work, plan)
    if (seen === null) return
    const { job, state } = seen
    if (state === null || seen.candidate?.id !== plan.candidate.id)
      return yield* conflict(`${name} was changed meanwhile`)
    if (job.terminal.state === "FAILED") return yield* fail(broken(job, null))
    if (seen.attempt === null) {
      yield* reportProgress(mutation, `run ${name}`)
      yield* keep(work, yield* calls.run(job, mutation))
    }
    const last = yield* ended(work, state.step)
    if (last.attempt!.state === "failed") return yield* fail(broken(last.job, last.attempt))
    const { template } = last.job
    yield* change(work, last.job, { release: plan.candidate, template, done: true, before: null })
  })
