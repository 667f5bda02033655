/**
 * One site that a step works on, and what every step looks at before it changes anything.
 */
import type { Mutation, PollOptions, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Gcp } from "../client/index.ts"
import type { Failure } from "./Calls.ts"
import { channelStack, messageOf, stackIn } from "./Names.ts"
import type { Properties } from "./Properties.ts"
import { type Looked, see, type Seen, type SeenVersion } from "./Seen.ts"

export interface Work extends Looked {
  readonly gcp: Gcp
  readonly directory: string
  readonly project: string
  readonly properties: Properties
  readonly mutation: Mutation
  readonly poll?: PollOptions
}

export const fail = (reason: ProviderReason) => Effect.fail(reason)

export const conflict = (message: string) => fail({ _tag: "Conflict", message })

type Place = Pick<Work, "properties" | "ref" | "site">

/** Fails if the site belongs to another stack. */
export const owned = ({ ref, site }: Place, { live }: Seen): Effect.Effect<void, ProviderReason> => {
  const stack = live?.record?.stack ?? stackIn(ref)
  return stack === stackIn(ref)
    ? Effect.void
    : fail({ _tag: "Invalid", message: `${site} belongs to stack ${stack}`, path: ["site"] })
}

/** Fails if the preview channel for the candidate belongs to others. */
export const channelIsFree = (
  { properties: { channel }, site }: Place,
  { foreignChannel }: Seen
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

/** There is no site, and none is made: its name would be taken for ever. */
export const noSite = ({ project, site }: Pick<Work, "project" | "site">): ProviderReason => ({
  _tag: "Missing",
  message: `project ${project} has no Hosting site ${site}`,
  hint: `Create it: firebase hosting:sites:create ${site} --project ${project}`
})

/** Looks at the site before it is changed. */
export const begin = (work: Work): Effect.Effect<Seen | null, Failure> =>
  Effect.gen(function* () {
    yield* work.mutation.guard
    const seen = yield* see(work)
    if (seen !== null) yield* owned(work, seen)
    return seen
  })

/** Makes a version live; null takes the site offline. One that is live already is not released again. */
export const goLive = (work: Work, seen: Seen, version: SeenVersion | null): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    const { calls, mutation, ref } = work
    if ((seen.live?.id ?? null) === (version?.id ?? null)) return
    const message = messageOf({ ref, version: version?.release.version ?? "nothing" }, mutation)
    const release = yield* calls.release("live", version, message, mutation)
    // The last one wins, and is not told that it was not alone.
    const now = (yield* calls.channel("live"))?.release
    if (now === null || now === undefined || now.name === release.name) return
    yield* conflict(`${now.by || "someone else"} released ${now.version?.id ?? "nothing"} at the same moment`)
  })

/** Removes the preview channel of the candidate, and what was not uploaded to its end. */
export const clear = ({ calls, mutation, properties }: Work, seen: Seen): Effect.Effect<void, Failure> =>
  Effect.gen(function* () {
    for (const { id } of seen.unfinished) yield* calls.deleteVersion(id, mutation)
    if (seen.channel !== null) yield* calls.deleteChannel(properties.channel, mutation)
  })
