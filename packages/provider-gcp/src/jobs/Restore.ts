/**
 * Configures a job as it was, or deletes it. What its executions did is not undone.
 */
import {
  type Checkpoint,
  Json,
  pollUntil,
  type ProviderReason,
  reportProgress,
  type WayBack
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Failure } from "../client/index.ts"
import type { JsonObject } from "../cloudrun/RunService.ts"
import { conflict, fail } from "../cloudrun/Work.ts"
import { see, type SeenJob } from "./SeenJob.ts"
import { atRest, begin, change, keep, type JobWork } from "./JobWork.ts"

const Recorded = Schema.Struct({ template: Schema.Record(Schema.String, Json) })

/** The checkpoint of a job: how it was configured for the release that has run. */
export const take = (seen: SeenJob | null, takenAt: number): Checkpoint => {
  const stable = seen?.stable ?? null
  return { release: stable?.release ?? null, takenAt, data: stable === null ? null : { template: stable.template } }
}

const templateIn = ({ data }: Checkpoint): Effect.Effect<JsonObject, ProviderReason> =>
  Option.match(Schema.decodeUnknownOption(Recorded)(data), {
    onNone: () => fail({ _tag: "Invalid", message: "the checkpoint has no template", path: [] }),
    onSome: ({ template }) => Effect.succeed(template as JsonObject)
  })

/** Ends the execution of the candidate, and waits for its end. */
const stopped = (work: JobWork, { attempt, candidate, job }: SeenJob): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    if (candidate === null || attempt?.state !== "running") return
    const { calls, mutation, name, poll } = work
    yield* reportProgress(mutation, `cancel execution ${attempt.name}`)
    yield* calls.cancel(job, attempt, mutation)
    yield* pollUntil(
      Effect.map(calls.executions(name), (all) =>
        all.some((one) => one.name === attempt.name && one.state === "running") ? undefined : true
      ),
      poll
    )
  })

export const rollback = (work: JobWork, checkpoint: Checkpoint): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { release } = checkpoint
    if (release === null) return yield* destroy(work)
    const template = yield* templateIn(checkpoint)
    let seen = yield* begin(work)
    if (seen !== null && seen.job.deleting) {
      yield* atRest(work)
      seen = null
    }
    if (seen !== null) {
      if (seen.candidate === null && seen.stable?.release.id === release.id && !seen.job.reconciling) return
      yield* stopped(work, seen)
      // Cancelling may have changed the job.
      seen = (yield* see(work.calls, work.name)) ?? (yield* conflict(`${work.name} was deleted meanwhile`))
    }
    yield* change(work, seen?.job ?? null, { release, template, done: true, before: null })
  }).pipe(
    // A call of the step that this one cuts off may still arrive, and change the job in between.
    Effect.retry({ times: 3, while: ({ _tag }) => _tag === "Conflict" })
  )

/** How a checkpoint can be restored. */
export const wayBack = ({ calls, name }: JobWork, { release }: Checkpoint): Effect.Effect<WayBack, ProviderReason> =>
  Effect.gen(function* () {
    if (release === null) return { how: "switch", why: "nothing was there before" }
    return (yield* calls.job(name)) === null
      ? { how: "rebuild", why: `${name} is gone, and is created again from its record` }
      : { how: "switch", why: `${name} is configured as it was; what it did stays` }
  })

export const destroy = (work: JobWork): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const seen = yield* begin(work)
    if (seen === null) return
    if (!seen.job.deleting) {
      yield* stopped(work, seen)
      const job = (yield* work.calls.job(work.name)) ?? seen.job
      yield* reportProgress(work.mutation, `delete ${work.name}`)
      yield* keep(work, yield* work.calls.remove(job, work.mutation))
    }
    if ((yield* atRest(work)) !== null) return yield* conflict(`${work.name} was created again meanwhile`)
  })
