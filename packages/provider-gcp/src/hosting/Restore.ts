/**
 * Goes back to a version that is still there, and takes a site offline.
 */
import type { Checkpoint, ProviderReason, WayBack } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { SiteFailure } from "./SiteCalls.ts"
import { versionIn } from "./Plan.ts"
import { isReady, seenVersion } from "./SeenSite.ts"
import { begin, clear, fail, goLive, noSite, type SiteWork } from "./SiteWork.ts"

const gone = (version: string, status: string | undefined): ProviderReason => ({
  _tag: "Missing",
  message: `version ${version} is ${status ?? "not there any more"}`,
  hint: "Deploy it again. How many versions are kept is set at the console, with the release history."
})

/** Releases the version of the checkpoint again, without any upload. */
export const rollback = (work: SiteWork, checkpoint: Checkpoint): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    if (checkpoint.release === null) return yield* destroy(work)
    const id = yield* versionIn(checkpoint)
    const seen = yield* begin(work)
    if (seen === null) return yield* fail(noSite(work))
    const version = yield* work.calls.version(id)
    if (version === null || !isReady(version)) return yield* fail(gone(id, version?.status))
    yield* goLive(work, seen, seenVersion(work.site, version))
    yield* clear(work, seen)
  })

/** Takes the site offline, and leaves it there: its name could not be used again. */
export const destroy = (work: SiteWork): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const seen = yield* begin(work)
    if (seen === null) return
    yield* goLive(work, seen, null)
    yield* clear(work, seen)
  })

/** How a checkpoint can be restored. */
export const wayBack = ({ calls }: SiteWork, checkpoint: Checkpoint): Effect.Effect<WayBack, ProviderReason> =>
  Effect.gen(function* () {
    if (checkpoint.release === null) return { how: "switch", why: "nothing was there before" }
    const id = yield* versionIn(checkpoint)
    const version = yield* calls.version(id)
    return version !== null && isReady(version)
      ? { how: "switch", why: `version ${id} is still there` }
      : { how: "impossible", why: gone(id, version?.status).message }
  })
