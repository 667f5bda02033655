/**
 * One job that a step works on.
 */
import { type Mutation, type PollOptions, pollUntil, type ProviderReason, type StackRef } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure, Place } from "../client/index.ts"
import { stackIn, stepOf } from "../marks.ts"
import type { JsonObject } from "../cloudrun/RunService.ts"
import { conflict, fail } from "../cloudrun/Work.ts"
import type { Job, JobState } from "./Job.ts"
import type { JobCalls } from "./JobCalls.ts"
import type { JobProperties } from "./JobProperties.ts"
import { consolePage, see, type SeenJob } from "./SeenJob.ts"

export interface JobWork {
  readonly ref: StackRef
  readonly calls: JobCalls
  readonly place: Place
  readonly name: string
  readonly properties: JobProperties
  readonly mutation: Mutation
  readonly poll: PollOptions
  /** What to know about the account that it runs as; fails if that may not be used. */
  readonly actAs: (account: string | undefined) => Effect.Effect<ReadonlyArray<string>, ProviderReason>
}

/**
 * Looks at the job before it is changed: fails if a newer holder of the lease has been here, if it belongs to another
 * stack, or if it is being executed for others.
 */
export const begin = (work: JobWork): Effect.Effect<SeenJob | null, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation, name, place, ref } = work
    yield* mutation.guard
    const seen = yield* see(calls, name)
    if (seen === null) return null
    const { foreign, job, state } = seen
    if (state !== null && state.fence > mutation.fence) {
      const message = `${name} was changed under lease ${state.fence} already`
      return yield* fail({ _tag: "Fenced", message, fence: state.fence })
    }
    yield* ownedBy(ref, name, seen)
    if (foreign !== null && !job.deleting) {
      return yield* fail({
        _tag: "Busy",
        message: `${name} is being executed for someone else`,
        operation: `execution ${foreign.name} is running`,
        since: foreign.createdAt,
        url: consolePage(place, name)
      })
    }
    return seen
  })

/** Fails if the job belongs to another stack. */
export const ownedBy = (ref: StackRef, name: string, { state }: SeenJob): Effect.Effect<void, ProviderReason> =>
  state === null || state.stack === stackIn(ref)
    ? Effect.void
    : fail({ _tag: "Invalid", message: `${name} belongs to stack ${state.stack}`, path: ["job"] })

/** What a job is to become. */
export interface JobGoal extends Pick<JobState, "release" | "done" | "before"> {
  readonly template: JsonObject
}

const stateFor = ({ mutation, ref }: JobWork, { before, done, release }: JobGoal, generation: number): JobState => ({
  stack: stackIn(ref),
  release,
  done,
  before,
  generation,
  step: stepOf(mutation.idempotencyKey),
  fence: mutation.fence
})

/** Creates or changes the job, and waits until Cloud Run has taken that in. */
export const change = (work: JobWork, job: Job | null, goal: JobGoal): Effect.Effect<Job, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation, name } = work
    const state = stateFor(work, goal, job === null ? 1 : job.generation + 1)
    const asked =
      job === null
        ? calls.create(name, mutation, goal.template, state)
        : calls.update(job, mutation, goal.template, state)
    yield* keep(work, yield* asked)
    return (yield* atRest(work)) ?? (yield* conflict(`${name} was deleted meanwhile`))
  })

/** Keeps the name of the first operation of a step, by which others see what is in progress. */
export const keep = ({ mutation: { handle } }: JobWork, operation: string): Effect.Effect<void> =>
  Effect.flatMap(handle.get, (known) => (known === null ? handle.set(operation) : Effect.void))

/** Waits until no change of the job is in progress; null if it is gone. */
export const atRest = ({ calls, name, poll }: JobWork): Effect.Effect<Job | null, ProviderReason> =>
  pollUntil(
    Effect.map(calls.job(name), (job) => (job !== null && (job.reconciling || job.deleting) ? undefined : { job })),
    poll
  ).pipe(Effect.map(({ job }) => job))
