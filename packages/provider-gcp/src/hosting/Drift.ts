/**
 * What others released since the last deployment. A version never changes, so there is nothing else to differ.
 */
import { type Drift, type ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { SiteFailure } from "./SiteCalls.ts"
import { recordOfMessage } from "./Names.ts"
import { stackIn } from "../marks.ts"
import { type Looked, see, type SeenSite, seenVersion, type SeenVersion } from "./SeenSite.ts"
import { begin, fail, goLive, noSite, type SiteWork } from "./SiteWork.ts"

/** What Signalbox released last, if something else is live now. */
const replaced = (
  { calls, ref, site }: Looked,
  { liveRelease }: SeenSite
): Effect.Effect<SeenVersion | null, ProviderReason> =>
  Effect.gen(function* () {
    if (liveRelease === null || recordOfMessage(liveRelease.message) !== null) return null
    const last = (yield* calls.releases()).find(({ message }) => recordOfMessage(message) !== null)
    if (!last?.version) return null
    const version = seenVersion(site, last.version)
    return version.id === liveRelease.version?.id || version.record?.stack !== stackIn(ref) ? null : version
  })

export const detect = (work: SiteWork): Effect.Effect<ReadonlyArray<Drift>, ProviderReason> =>
  Effect.gen(function* () {
    const seen = yield* see(work)
    const deployed = seen === null ? null : yield* replaced(work, seen)
    if (seen === null || deployed === null) return []
    const { live, liveRelease } = seen
    const actual = `${live?.id ?? "nothing"}, released by ${liveRelease?.by || "someone else"}`
    return [{ field: "release", expected: deployed.id, actual, owned: true }]
  })

/** Releases again what Signalbox deployed. */
export const correct = (work: SiteWork, fields: ReadonlyArray<string>): Effect.Effect<void, SiteFailure> =>
  Effect.gen(function* () {
    const seen = yield* begin(work)
    if (seen === null) return yield* fail(noSite(work))
    const deployed = yield* replaced(work, seen)
    if (deployed !== null && fields.includes("release")) yield* goLive(work, seen, deployed)
  })
