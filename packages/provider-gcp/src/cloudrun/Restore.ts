/**
 * Restores a checkpoint, and removes or restarts a service.
 */
import { type Checkpoint, type ProviderReason, reportProgress, type WayBack } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import type { Calls } from "./Calls.ts"
import { type Part, recorded } from "./Checkpoint.ts"
import { imageOf, releaseOf } from "./Record.ts"
import { wanted } from "./Split.ts"
import { revisionFor, templateFor } from "./Stage.ts"
import { atRest, begin, change, conflict, create, fail, routed, type Work } from "./Work.ts"
import { brokenRevision } from "./Cause.ts"

const largestFirst = (parts: ReadonlyArray<Part>): ReadonlyArray<Part> =>
  [...parts].sort((a, b) => b.percent - a.percent)

/** A revision that runs what a part of the checkpoint ran, if there is one. */
const survivor = (calls: Calls, name: string, part: Part): Effect.Effect<string | null, ProviderReason> =>
  Effect.gen(function* () {
    const same = yield* calls.revision(name, part.revision)
    if (same?.state === "ready") return same.name
    // It was pruned, and may have been rebuilt by an earlier rollback.
    const all = yield* calls.revisions(name)
    return all.find((one) => one.state === "ready" && releaseOf(one).id === part.release.id)?.name ?? null
  })

/** Puts the traffic back as it was recorded. A revision that is gone is built again, from its template. */
export const rollback = (work: Work, checkpoint: Checkpoint): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    if (checkpoint.release === null) return yield* destroy(work)
    const parts = largestFirst(yield* recorded(checkpoint))
    let seen = yield* begin(work)
    if (seen?.service.deleting === true) {
      yield* atRest(work)
      seen = null
    }
    if (seen === null) {
      const [main, ...others] = parts
      yield* recreate(work, main!)
      return others.length === 0 ? undefined : yield* rollback(work, checkpoint)
    }
    const split = new Map<string, number>()
    for (const part of parts) {
      const revision = (yield* survivor(work.calls, work.name, part)) ?? (yield* rebuild(work, part))
      split.set(revision, (split.get(revision) ?? 0) + part.percent)
    }
    // What was rebuilt has changed the service.
    seen = (yield* begin(work)) ?? (yield* conflict(`${work.name} was deleted meanwhile`))
    const traffic = wanted(seen.service, split, { tag: work.properties.tag, revision: null })
    const [stable = null] = split.keys()
    yield* change(work, seen, { traffic, stable })
    yield* routed(work, traffic)
  })

const recreate = (work: Work, { release, template }: Part): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { name } = yield* revisionFor(work, release)
    yield* reportProgress(work.mutation, `create ${work.name} again, with revision ${name}`)
    const traffic = [{ revision: name, percent: 100 }]
    yield* create(work, { traffic, stable: name, template: templateFor(work, { name, release, template }) })
    yield* routed(work, traffic)
  })

/** Builds a revision that was pruned again, without traffic, and returns its name. */
const rebuild = (work: Work, { release, revision, template }: Part): Effect.Effect<string, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation, name } = work
    const place = yield* revisionFor(work, release)
    if (place.existing?.state === "ready") return place.name
    if (place.existing?.state !== "pending") {
      const seen = (yield* begin(work)) ?? (yield* conflict(`${name} was deleted meanwhile`))
      yield* reportProgress(mutation, `build ${revision} again as ${place.name}, from ${imageOf(template)}`)
      yield* change(work, seen, {
        traffic: wanted(seen.service, seen.split, { tag: work.properties.tag, revision: null }),
        stable: seen.stable?.name ?? null,
        template: templateFor(work, { name: place.name, release, template })
      })
    }
    yield* atRest(work)
    const built = yield* calls.revision(name, place.name)
    if (built?.state === "failed") return yield* fail(brokenRevision(built, yield* work.lastLines(place.name)))
    return place.name
  })

/** How a checkpoint can be restored. */
export const wayBack = ({ calls, name }: Work, checkpoint: Checkpoint): Effect.Effect<WayBack, ProviderReason> =>
  Effect.gen(function* () {
    if (checkpoint.release === null) return { how: "switch", why: "nothing was there before" }
    const parts = yield* recorded(checkpoint)
    const [first] = parts
    if ((yield* calls.service(name)) === null)
      return { how: "rebuild", why: `${name} is gone, and is created again from its record` }
    for (const part of parts) {
      if ((yield* survivor(calls, name, part)) !== null) continue
      const image = imageOf(part.template)
      const sure = image.includes("@sha256:") ? "" : ", whose tag may name another image by now"
      return { how: "rebuild", why: `revision ${part.revision} was pruned, and is built again from ${image}${sure}` }
    }
    return { how: "switch", why: `revision ${first!.revision} is still there` }
  })

export const destroy = (work: Work): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const seen = yield* begin(work)
    if (seen === null) return
    if (!seen.service.deleting) {
      yield* reportProgress(work.mutation, `delete ${work.name}`)
      const operation = yield* work.calls.remove(seen.service, work.mutation)
      yield* work.mutation.handle.set(operation)
    }
    const left = yield* atRest(work)
    if (left !== null) return yield* conflict(`${work.name} was created again meanwhile`)
  })

/** Starts a new revision of the same template, which gets the traffic of the old one. */
export const restart = (work: Work): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const seen = yield* begin(work)
    const { stable } = seen ?? {}
    if (seen === null || !stable) return yield* fail({ _tag: "Missing", message: `nothing of ${work.name} runs` })
    const place = yield* revisionFor(work, stable.release, () => false)
    if (stable.name === place.name && !seen.service.reconciling) return
    const split = new Map([...seen.split].map(([name, percent]) => [name === stable.name ? place.name : name, percent]))
    const traffic = wanted(seen.service, split, { tag: work.properties.tag, revision: seen.candidate?.name ?? null })
    if (place.existing === null) {
      yield* reportProgress(work.mutation, `restart ${stable.name} as ${place.name}`)
      const { release, template } = stable
      yield* change(work, seen, {
        traffic,
        stable: place.name,
        template: templateFor(work, { name: place.name, release, template })
      })
    }
    yield* atRest(work)
    const made = yield* work.calls.revision(work.name, place.name)
    if (made?.state === "failed") return yield* fail(brokenRevision(made, yield* work.lastLines(place.name)))
    yield* routed(work, traffic)
  })
