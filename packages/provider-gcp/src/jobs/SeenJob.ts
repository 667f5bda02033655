/**
 * A job as it is found at Cloud Run, and the observation that the port makes of it.
 */
import { absent, type Observation, type ProviderReason, type Release } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Place } from "../client/index.ts"
import type { JsonObject } from "../cloudrun/RunService.ts"
import { type JobExecution, foundRelease, type Job, type JobState, stateOf } from "./Job.ts"
import type { JobCalls } from "./JobCalls.ts"

/**
 * A job with its executions, oldest first.
 *
 * *Details*: `stable` is the release that has run to its end, `candidate` the one that has not. `attempt` is the
 * execution of the candidate. `foreign` is an execution in progress that belongs to no step in progress. A job that
 * others changed has what they made of it, and no candidate.
 */
export interface SeenJob {
  readonly job: Job
  readonly state: JobState | null
  readonly stable: { readonly release: Release; readonly template: JsonObject } | null
  readonly candidate: Release | null
  readonly attempt: JobExecution | null
  readonly foreign: JobExecution | null
}

/** The execution of a step: the first one, since others may run the job again with the same annotations. */
const attemptOf = (executions: ReadonlyArray<JobExecution>, { release, step }: JobState): JobExecution | null =>
  executions.find(({ record }) => record?.step === step && record.release === release.id) ?? null

/** Looks at a job; null if there is none. */
export const see = (calls: JobCalls, name: string): Effect.Effect<SeenJob | null, ProviderReason> =>
  Effect.gen(function* () {
    const job = yield* calls.job(name)
    if (job === null) return null
    const state = stateOf(job)
    const executions = yield* calls.executions(name)
    const ours = state !== null && state.generation === job.generation
    const attempt = ours ? attemptOf(executions, state) : null
    const own = ours && !state.done ? attempt : null
    const foreign = executions.find((one) => one.state === "running" && one.name !== own?.name) ?? null
    const found = { release: ours ? state.release : foundRelease(job), template: job.template }
    if (!ours || state.done) return { job, state, stable: found, candidate: null, attempt, foreign }
    const stable = state.before as SeenJob["stable"]
    return { job, state, stable, candidate: state.release, attempt, foreign }
  })

export const consolePage = ({ project, region }: Place, job: string): string =>
  `https://console.cloud.google.com/run/jobs/details/${region}/${job}/executions?project=${project}`

const running = ({ createdAt, name }: JobExecution, foreign: boolean): NonNullable<Observation["operation"]> => ({
  id: name,
  description: `execution ${name} is running`,
  foreign,
  startedAt: createdAt
})

/** What the port says of a job. */
export const observation = (seen: SeenJob | null, place: Place, name: string): Observation => {
  if (seen === null) return absent
  const { attempt, candidate, foreign, job, stable, state } = seen
  const own = candidate !== null && attempt?.state === "running" ? attempt : null
  const failed = candidate !== null && attempt?.state === "failed" ? attempt : null
  const reason = failed?.condition.message ?? (job.terminal.state === "FAILED" ? job.terminal.message : undefined)
  const busy = job.reconciling || job.deleting || own !== null || foreign !== null
  const health = (release: Release | null | undefined, healthy: number) =>
    release ? { [release.id]: { healthy, total: 1, unit: "release" as const } } : {}
  return {
    status: busy ? "changing" : stable === null ? "failed" : "ready",
    ...(reason === undefined ? {} : { reason }),
    ...(state === null ? {} : { fence: state.fence }),
    stable: stable?.release ?? null,
    candidate,
    traffic: stable === null ? [] : [{ releaseId: stable.release.id, percent: 100 }],
    trafficSource: "configured",
    health: { ...health(candidate, 0), ...health(stable?.release, 1) },
    operation: own !== null ? running(own, false) : foreign !== null ? running(foreign, true) : null,
    lastChangedAt: job.changedAt,
    outputs: stable === null ? {} : { job: name },
    endpoints: {},
    resources: [
      { id: name, type: "run.googleapis.com/Job", status: job.terminal.state.toLowerCase() || "pending" },
      ...(attempt === null ? [] : [{ id: attempt.name, type: "run.googleapis.com/Execution", status: attempt.state }])
    ],
    consoleUrl: consolePage(place, name)
  }
}
