/**
 * What a release would run.
 */
import type { Candidate, PlanTarget, ProviderReason, StackPlan } from "@signalbox/core/spi"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { longestService } from "../cloudrun/Names.ts"
import { imageFor } from "../cloudrun/Plan.ts"
import { fail } from "../cloudrun/Work.ts"
import { take } from "./Restore.ts"
import { see } from "./SeenJob.ts"
import { releaseFrom, templateOf } from "./Template.ts"
import { ownedBy, type JobWork } from "./JobWork.ts"

export const plan = (
  work: JobWork,
  candidate: Candidate,
  target: PlanTarget
): Effect.Effect<StackPlan, ProviderReason> =>
  Effect.gen(function* () {
    const { calls, name, properties, ref } = work
    if (name.length > longestService) {
      const message = `${name} is longer than ${longestService} characters`
      return yield* fail({ _tag: "Invalid", message, path: ["job"], hint: "Set job to a shorter name." })
    }
    const image = yield* imageFor(properties, candidate)
    const release = releaseFrom(candidate.version, image, properties)
    const seen = yield* see(calls, name)
    if (seen !== null) yield* ownedBy(ref, name, seen)
    const stable = seen?.stable ?? null
    const base = {
      checkpoint: take(seen, Math.floor(yield* Clock.currentTimeMillis)),
      rollback: stable === null ? `${name} is deleted` : `${name} is configured as it was; what it did stays`,
      target,
      data: templateOf(properties, image)
    }
    if (seen !== null && stable?.release.id === release.id && seen.candidate === null) {
      return { ...base, action: "none", candidate: stable.release, changes: [], warnings: [] }
    }
    const resource = { resource: name, type: "run.googleapis.com/Job", replacement: false }
    return {
      ...base,
      action: seen === null || stable === null ? "create" : "update",
      candidate: release,
      changes: [seen === null ? `create the job ${name}, and run it` : `run ${name} from ${image}`],
      warnings: [
        ...(seen?.foreign == null ? [] : [`${name} is being executed for someone else`]),
        ...(yield* work.actAs(properties.serviceAccount))
      ],
      resources: [{ ...resource, action: seen === null ? "create" : "update" }]
    }
  })
