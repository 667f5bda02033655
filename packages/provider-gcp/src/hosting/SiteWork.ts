/**
 * One site that a step works on, and what every step looks at before it changes anything.
 */
import type { Mutation, PollOptions, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Gcp } from "../client/index.ts"
import type { SiteFailure } from "./SiteCalls.ts"
import { channelStack, messageOf } from "./Names.ts"
import { stackIn } from "../marks.ts"
import type { SiteConfig } from "./SiteConfig.ts"
import type { SiteProperties } from "./SiteProperties.ts"
import { type Looked, see, type SeenSite, type SeenVersion } from "./SeenSite.ts"

export interface SiteWork extends Looked {
  readonly gcp: Gcp
  readonly config: SiteConfig
  readonly directory: string
  readonly project: string
  readonly properties: SiteProperties
  readonly mutation: Mutation
  readonly poll?: PollOptions
}

export const fail = (reason: ProviderReason) => Effect.fail(reason)

export const conflict = (message: string) => fail({ _tag: "Conflict", message })

type Place = Pick<SiteWork, "properties" | "ref" | "site">

/** Fails if the site belongs to another stack. */
export const owned = ({ ref, site }: Place, { live }: SeenSite): Effect.Effect<void, ProviderReason> => {
  const stack = live?.record?.stack ?? stackIn(ref)
  return stack === stackIn(ref)
    ? Effect.void
    : fail({ _tag: "Invalid", message: `${site} belongs to stack ${stack}`, path: ["site"] })
}

/** Fails if the preview channel for the candidate belongs to others. */
export const channelIsFree = (
  { properties: { channel }, site }: Place,
  { foreignChannel }: SeenSite
): Effect.Effect<void, ProviderReason> => {
  if (foreignChannel === null) return Effect.void
  const stack = channelStack(foreignChannel.labels)
  const whose = stack === undefined ? "was not made by Signalbox" : `belongs to stack ${stack}`
  return fail({
    _tag: "Invalid",
    message: `the preview channel ${channel} of ${site} ${whose}`,
    path: ["channel"],
    hint: "Set channel to another name."
  })
}

/** There is no site. None is made, because its name could not be used again. */
export const noSite = ({ project, site }: Pick<SiteWork, "project" | "site">): ProviderReason => ({
  _tag: "Missing",
  message: `project ${project} has no Hosting site ${site}`,
  hint: `Create it: firebase hosting:sites:create ${site} --project ${project}`
})

/** Looks at the site before it is changed. */
export const begin = (work: SiteWork): Effect.Effect<SeenSite | null, SiteFailure> =>
  Effect.gen(function* () {
    yield* work.mutation.guard
    const seen = yield* see(work)
    if (seen !== null) yield* owned(work, seen)
    return seen
  })

/** Makes a version live; null takes the site offline. One that is live already is not released again. */
export const goLive = (work: SiteWork, seen: SeenSite, version: SeenVersion | null): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const { calls, mutation, ref } = work
    if ((seen.live?.id ?? null) === (version?.id ?? null)) return
    const message = messageOf({ ref, version: version?.release.version ?? "nothing" }, mutation)
    const release = yield* calls.release("live", version, message, mutation)
    // The last one wins, and is not told that it was not alone.
    const now = (yield* calls.channel("live"))?.release
    if (now === null || now === undefined || now.name === release.name) return
    return yield* conflict(`${now.by || "someone else"} released ${now.version?.id ?? "nothing"} at the same moment`)
  })

/** Removes the preview channel of the candidate, and what was not uploaded to its end. */
export const clear = ({ calls, mutation, properties }: SiteWork, seen: SeenSite): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    for (const { id } of seen.unfinished) yield* calls.deleteVersion(id, mutation)
    if (seen.channel !== null) yield* calls.deleteChannel(properties.channel, mutation)
  })
