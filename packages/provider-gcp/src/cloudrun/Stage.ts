/**
 * Brings in a candidate: one update makes its revision, gives it the tag, and leaves the traffic where it is.
 */
import { type Percent, reportProgress, type Release, type StackPlan } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import { brokenRevision } from "./Cause.ts"
import { recorded } from "./Checkpoint.ts"
import { anotherRevisionOf, revisionOf } from "./Names.ts"
import { stepOf } from "../marks.ts"
import { recordIn, withRecord } from "./Record.ts"
import type { JsonObject, RunRevision } from "./RunService.ts"
import type { Seen } from "./Seen.ts"
import { sameTraffic, showSplit, type Split, tagged, wanted } from "./Split.ts"
import { atRest, begin, change, conflict, create, fail, routed, type Work } from "./Work.ts"

/** A revision that runs a release: one that is there, or one to be made. */
export interface StagingPlace {
  readonly name: string
  readonly existing: RunRevision | null
}

/**
 * Finds the revision of a release, or a name for it.
 *
 * *Details*: a repeat finds what it has made by its name, so that no template has two revisions. One that failed under an
 * earlier step is not tried again: its reason may be gone, but it stays failed.
 */
export const revisionFor = (
  { calls, mutation, name }: Work,
  release: Release,
  usable: (revision: RunRevision) => boolean = () => true
): Effect.Effect<StagingPlace, Failure> =>
  Effect.gen(function* () {
    const step = stepOf(mutation.idempotencyKey)
    const is = (one: RunRevision) => recordIn(one.annotations)?.release.id === release.id
    const first = revisionOf(name, release.id)
    const existing = yield* calls.revision(name, first)
    if (existing === null) return { name: first, existing: null }
    const failedBefore = existing.state === "failed" && recordIn(existing.annotations)?.step !== step
    if (is(existing) && !failedBefore && usable(existing)) return { name: first, existing }
    const second = anotherRevisionOf(name, release.id, step)
    return { name: second, existing: yield* calls.revision(name, second) }
  })

/** The template that makes a revision of that name. */
export const templateFor = (
  { mutation }: Work,
  { name, release, template }: { readonly name: string; readonly release: Release; readonly template: JsonObject }
): JsonObject => {
  const { idempotencyKey, fence } = mutation
  const record = { release, revision: name, step: stepOf(idempotencyKey), fence }
  return { ...template, revision: name, annotations: withRecord(record) }
}

/** What others did to the traffic since the plan was made. */
const unchanged = (plan: StackPlan, seen: Seen | null): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { checkpoint } = plan
    const parts = checkpoint.release === null ? [] : yield* recorded(checkpoint)
    const was: Split = new Map(parts.map(({ percent, revision }) => [revision, percent]))
    if (seen === null) {
      if (was.size === 0) return
      return yield* fail({
        _tag: "Changed",
        message: "the service was deleted since the plan was made",
        field: "traffic",
        was: showSplit(was),
        is: showSplit(new Map())
      })
    }
    const { candidate, split } = seen
    const now: Split = new Map([...split].filter(([revision]) => revision !== candidate?.name))
    const strange = [...now.keys()].some((revision) => !was.has(revision))
    if (!strange) return
    return yield* fail({
      _tag: "Changed",
      message: "the traffic was changed since the plan was made",
      field: "traffic",
      was: showSplit(was),
      is: showSplit(now)
    })
  })

/** Puts back a split that was asked for and never became effective, because a revision of it failed. */
const repaired = (work: Work, seen: Seen): Effect.Effect<Seen, Failure> =>
  Effect.gen(function* () {
    const { service, split, stable } = seen
    const asked = new Set(service.traffic.flatMap(({ percent, revision }) => (percent > 0 ? [revision] : [])))
    const idle = [...asked].some((revision) =>
      revision === null ? !split.has(service.latestCreated) : !split.has(revision)
    )
    if (service.reconciling || split.size === 0 || !idle) return seen
    yield* reportProgress(work.mutation, `put the traffic back to ${showSplit(split)}`)
    const traffic = wanted(service, split, { tag: work.properties.tag, revision: null })
    yield* change(work, seen, { traffic, stable: stable?.name ?? null })
    yield* routed(work, traffic)
    return (yield* begin(work)) ?? seen
  })

/** Waits until the revision is ready; fails with its cause if it never will be, and if another step took it away. */
const ready = (work: Work, revision: string, first: boolean): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { calls, name, properties } = work
    const service = yield* atRest(work)
    const found = service === null ? null : yield* calls.revision(name, revision)
    if (found?.state === "failed") return yield* fail(brokenRevision(found, yield* work.lastLines(revision)))
    if (service === null || found === null || (!first && tagged(service, properties.tag) !== revision)) {
      return yield* conflict(`another operation took ${revision} away`)
    }
    if (found.state === "pending") {
      return yield* fail({ _tag: "Unavailable", message: `${revision} is not ready yet: ${found.condition.message}` })
    }
  })

/** Stages the candidate of a plan. A first one gets all traffic. */
export const stage = (work: Work, plan: StackPlan, capacityPercent: Percent): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    if (capacityPercent !== 100) {
      const message = "Cloud Run scales revisions by itself"
      return yield* fail({ _tag: "Unsupported", message, capability: "capacity" })
    }
    const { mutation, name, properties } = work
    const { candidate: release } = plan
    const template = (plan.data ?? {}) as JsonObject
    let seen = yield* begin(work)
    if (seen?.service.deleting === true) {
      yield* atRest(work)
      seen = null
    }
    if (seen?.stable?.release.id === release.id && seen.split.get(seen.stable.name) === 100) return
    if (seen?.candidate?.release.id !== release.id) yield* unchanged(plan, seen)
    if (seen === null) {
      const first = revisionOf(name, release.id)
      yield* reportProgress(mutation, `create ${name} with revision ${first}`)
      yield* create(work, {
        traffic: [{ revision: first, percent: 100 }],
        stable: first,
        template: templateFor(work, { name: first, release, template })
      })
      yield* ready(work, first, true)
      yield* routed(work, [{ revision: first, percent: 100 }])
      return
    }
    seen = yield* repaired(work, seen)
    const { service, split, stable } = seen
    const isFirst = split.size === 0
    const place = yield* revisionFor(work, release)
    const traffic = isFirst
      ? wanted(service, new Map([[place.name, 100]]), { tag: properties.tag, revision: null })
      : wanted(service, split, { tag: properties.tag, revision: place.name })
    // The change that made it is in progress, or has ended.
    const asked = place.existing !== null && sameTraffic(service.traffic, traffic)
    if (!asked) {
      yield* reportProgress(mutation, `bring in revision ${place.name} without traffic`)
      yield* change(work, seen, {
        traffic,
        stable: isFirst ? place.name : (stable?.name ?? null),
        ...(place.existing === null ? { template: templateFor(work, { name: place.name, release, template }) } : {})
      })
    }
    yield* ready(work, place.name, isFirst)
    yield* routed(work, traffic)
  })
