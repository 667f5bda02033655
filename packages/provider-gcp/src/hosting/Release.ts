/**
 * Makes versions live, and takes the preview channel away.
 */
import type { Percent } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { SiteFailure } from "./SiteCalls.ts"
import { recordOfMessage } from "./Names.ts"
import { unpin } from "./Pins.ts"
import { isReady, type SeenSite, type SeenVersion } from "./SeenSite.ts"
import { begin, clear, conflict, fail, goLive, noSite, type SiteWork } from "./SiteWork.ts"

const whole = (percent: Percent, what: string): Effect.Effect<void, SiteFailure> =>
  percent === 0 || percent === 100
    ? Effect.void
    : fail({ _tag: "Unsupported", message: `a site of Hosting has ${what}, not ${percent} % of it`, capability: what })

const look = (work: SiteWork): Effect.Effect<SeenSite, SiteFailure> =>
  Effect.flatMap(begin(work), (seen) => (seen === null ? fail(noSite(work)) : Effect.succeed(seen)))

const versionOf = ({ candidate, stable }: SeenSite, id: string): Effect.Effect<SeenVersion, SiteFailure> => {
  const found = [candidate, stable].find((one) => one?.release.id === id)
  return found ? Effect.succeed(found) : fail({ _tag: "Missing", message: `no version of release ${id} is staged` })
}

/** Fails if others released something since the candidate was staged: the verified version would undo that. */
const unchanged = ({ candidate, channel, live, liveRelease }: SeenSite): Effect.Effect<void, SiteFailure> => {
  const was = recordOfMessage(channel?.release?.message)?.from ?? null
  const is = live?.id ?? "nothing"
  if (was === null || is === was || is === candidate?.id) return Effect.void
  const message = `${liveRelease?.by || "someone else"} released ${is} since the candidate was staged`
  return fail({ _tag: "Changed", message, field: "release", was, is })
}

/** Releases the very version that was verified on the preview channel, or the one that was live before. */
export const shift = (
  work: SiteWork,
  { percent, releaseId }: { readonly releaseId: string; readonly percent: Percent }
): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    yield* whole(percent, "all of its traffic or none")
    const seen = yield* look(work)
    const version = yield* versionOf(seen, releaseId)
    if (percent === 0) {
      if (seen.live?.id === version.id && version.id !== seen.stable?.id) yield* goLive(work, seen, seen.stable)
      return
    }
    if (!isReady(version)) return yield* conflict(`version ${version.id} is ${version.status}`)
    if (version.id === seen.candidate?.id) yield* unchanged(seen)
    yield* goLive(work, seen, version)
  })

/** Takes the preview channel away, and makes the version that is kept the stable one. Old versions cost nothing. */
export const retire = (
  work: SiteWork,
  { capacityPercent, keep }: { readonly keep: string; readonly capacityPercent: Percent }
): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    yield* whole(capacityPercent, "all of its capacity or none")
    const seen = yield* look(work)
    const kept = yield* versionOf(seen, keep)
    if (capacityPercent === 100) return
    if (seen.live !== null && seen.live.id !== kept.id) {
      return yield* conflict(`${seen.live.id} still has all of the traffic`)
    }
    yield* clear(work, seen)
    yield* unpin(work, work.config.entry)
  })
