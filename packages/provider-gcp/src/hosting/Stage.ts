/**
 * Brings in a candidate: uploads its version, and releases that on the preview channel.
 */
import { type Percent, reportProgress, type StackPlan } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Clock from "effect/Clock"
import type { SiteFailure } from "./SiteCalls.ts"
import { channelLabels, channelStack, messageOf, recordOfMessage, versionLabels } from "./Names.ts"
import { stackIn, stepOf } from "../marks.ts"
import { pin, pinsOf } from "./Pins.ts"
import { plannedIn } from "./Plan.ts"
import { secondsOf } from "./SiteProperties.ts"
import type { HostingVersion } from "./Resources.ts"
import { isReady, type SeenSite } from "./SeenSite.ts"
import { servingConfig } from "./ServingConfig.ts"
import { siteConfig } from "./SiteConfig.ts"
import { siteFiles } from "./files/SiteFiles.ts"
import { upload } from "./files/Upload.ts"
import { begin, channelIsFree, conflict, fail, noSite, type SiteWork } from "./SiteWork.ts"

/** Fails if others have released something since the plan was made. */
const unchanged = ({ checkpoint }: StackPlan, { live, liveRelease }: SeenSite): Effect.Effect<void, SiteFailure> => {
  const was = (checkpoint.data as { readonly version?: string } | null)?.version ?? "nothing"
  const is = live?.id ?? "nothing"
  if (was === is) return Effect.void
  const message = `${liveRelease?.by || "someone else"} released ${is} since the plan was made`
  return fail({ _tag: "Changed", message, field: "release", was, is })
}

/** The version of this step: one that it has begun, or a new one. */
const versionOf = (work: SiteWork, plan: StackPlan, seen: SeenSite): Effect.Effect<HostingVersion, SiteFailure> =>
  Effect.gen(function* () {
    const { calls, mutation } = work
    const handle = yield* mutation.handle.get
    const begun = handle === null ? null : yield* calls.version(handle)
    if (begun !== null && (begun.status === "CREATED" || isReady(begun))) return begun
    const step = stepOf(mutation.idempotencyKey)
    // The answer that named it was lost, or the process that got it.
    const found = seen.unfinished.find(({ record }) => record?.step === step)
    const version = found ?? (yield* calls.createVersion(versionLabels(work, plan.candidate, mutation), mutation))
    yield* mutation.handle.set(version.id)
    return version
  })

/** A version that the platform refuses is at fault itself. */
const finalized = (work: SiteWork, version: HostingVersion, config: Parameters<SiteWork["calls"]["finalize"]>[1]) =>
  work.calls.finalize(version.id, config, work.mutation).pipe(
    Effect.catch((failure) =>
      Effect.gen(function* () {
        if (failure._tag === "Missing") return yield* conflict(`another operation took version ${version.id} away`)
        if (failure._tag !== "Invalid" && failure._tag !== "Unexpected") return yield* Effect.fail(failure)
        // The answer to an earlier call may have been lost.
        const now = yield* work.calls.version(version.id)
        if (now !== null && isReady(now)) return now
        return yield* fail({ _tag: "Broken", message: failure.message, resource: version.id })
      })
    )
  )

/** Channels of Signalbox that have ended count against the quota of the site until they are removed. */
const removeExpired = ({ calls, mutation }: SiteWork): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const now = yield* Clock.currentTimeMillis
    for (const { expiresAt, id, labels } of yield* calls.channels()) {
      if (channelStack(labels) === undefined) continue
      // The platform's clock decides: a channel that has expired is listed, and not found.
      const isOver = (expiresAt !== null && expiresAt <= now) || (yield* calls.channel(id)) === null
      if (isOver) yield* calls.deleteChannel(id, mutation)
    }
  })

const newChannel = (work: SiteWork): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const { calls, mutation, properties, ref } = work
    const create = calls.createChannel(properties.channel, secondsOf(properties.expires), channelLabels(ref), mutation)
    yield* removeExpired(work)
    yield* create.pipe(
      Effect.catch((failure) =>
        Effect.gen(function* () {
          if (failure._tag === "Quota") {
            const hint = "See firebase hosting:channel:list, and delete the ones that are not needed."
            return yield* fail({ ...failure, hint })
          }
          if (failure._tag !== "Conflict") return yield* Effect.fail(failure)
          // The answer that it was made was lost, unless it belongs to others.
          const found = yield* calls.channel(properties.channel)
          if (found === null || channelStack(found.labels) !== stackIn(ref)) return yield* Effect.fail(failure)
        })
      )
    )
  })

const preview = (
  work: SiteWork,
  version: HostingVersion,
  plan: StackPlan,
  seen: SeenSite
): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const { calls, mutation, properties, ref } = work
    const { channel, live } = seen
    if (channel === null) yield* newChannel(work)
    else yield* calls.extendChannel(properties.channel, secondsOf(properties.expires), mutation)
    const message = messageOf({ ref, version: plan.candidate.version }, mutation, live?.id ?? "nothing")
    yield* calls.release(properties.channel, version, message, mutation)
  })

/** Uploads the version of this step, and finalizes it. */
const uploaded = (work: SiteWork, plan: StackPlan, seen: SeenSite): Effect.Effect<HostingVersion, SiteFailure> =>
  Effect.gen(function* () {
    const { directory, mutation, project, properties } = work
    const planned = yield* plannedIn(plan)
    const config = yield* siteConfig(directory, properties, project, planned.artifact)
    const files = yield* siteFiles(config)
    if (files.digest !== planned.digest) {
      const message = "the files of the site were changed since the plan was made"
      return yield* fail({ _tag: "Changed", message, field: "files", was: planned.digest, is: files.digest })
    }
    const version = yield* versionOf(work, plan, seen)
    if (isReady(version)) return version
    yield* upload(work, version.id, files.all)
    const pins = yield* pinsOf(work, config)
    yield* pin(work, pins)
    const serving = servingConfig(config.entry, ({ region, serviceId }) => pins.get(`${region}/${serviceId}`)!.tag)
    yield* reportProgress(mutation, `finalize version ${version.id}`)
    return yield* finalized(work, version, serving)
  })

/** Stages the candidate of a plan. */
export const stage = (work: SiteWork, plan: StackPlan, capacityPercent: Percent): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    if (capacityPercent !== 100) {
      const message = "a version of a site is there as a whole"
      return yield* fail({ _tag: "Unsupported", message, capability: "capacity" })
    }
    const seen = yield* begin(work)
    if (seen === null) return yield* fail(noSite(work))
    yield* channelIsFree(work, seen)
    const { candidate, channel, live } = seen
    const staged = candidate !== null && candidate.release.id === plan.candidate.id && isReady(candidate)
    if (staged) {
      // An execution that ended early may have staged it beside another live version.
      const from = recordOfMessage(channel?.release?.message)?.from
      if (live?.id === candidate.id || from === (live?.id ?? "nothing")) return
    }
    yield* unchanged(plan, seen)
    yield* preview(work, staged ? candidate : yield* uploaded(work, plan, seen), plan, seen)
  })
