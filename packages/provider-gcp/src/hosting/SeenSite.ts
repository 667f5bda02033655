/**
 * A site as it is found at Firebase Hosting, and the observation that the port makes of it.
 */
import { absent, type Observation, type ProviderReason, type Release, type StackRef } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { SiteCalls } from "./SiteCalls.ts"
import { channelStack, recordIn, type VersionRecord } from "./Names.ts"
import { digestOf, stackIn } from "../marks.ts"
import type { HostingChannel, HostingRelease, HostingVersion } from "./Resources.ts"

/** A version with its release. `record` is null if Signalbox did not make it for this site. */
export interface SeenVersion extends HostingVersion {
  readonly record: VersionRecord | null
  readonly release: Release
}

/**
 * A site with its versions that matter.
 *
 * *Details*: `live` is what the site shows, with its release. `candidate` is on the preview channel, or is being uploaded
 * for it. `stable` is live; where the candidate is live, it is the version that was live before, until the candidate takes
 * its place. `channel` is the preview channel, and `foreignChannel` one of its name that belongs to others. `unfinished` are
 * own versions that were not finalized.
 */
export interface SeenSite {
  readonly url: string
  readonly live: SeenVersion | null
  readonly liveRelease: HostingRelease | null
  readonly stable: SeenVersion | null
  readonly candidate: SeenVersion | null
  readonly channel: HostingChannel | null
  readonly foreignChannel: HostingChannel | null
  readonly unfinished: ReadonlyArray<SeenVersion>
}

/** Which site is looked at, for which stack. */
export interface Looked {
  readonly calls: SiteCalls
  readonly ref: StackRef
  readonly site: string
  readonly properties: { readonly channel: string }
}

export const seenVersion = (site: string, version: HostingVersion): SeenVersion => {
  const record = recordIn(version.labels)
  const own = record?.site === site ? record : null
  const configDigest = digestOf(version.config).slice(0, 24)
  return {
    ...version,
    record: own,
    release: own?.release ?? {
      id: digestOf([version.id, configDigest]).slice(0, 24),
      version: `found-${version.id}`,
      configDigest
    }
  }
}

/** Looks at a site; null if there is none. */
export const see = ({ calls, properties, ref, site }: Looked): Effect.Effect<SeenSite | null, ProviderReason> =>
  Effect.gen(function* () {
    const url = yield* calls.address()
    if (url === null) return null
    const [main, channel, uploads] = yield* Effect.all(
      [calls.channel("live"), calls.channel(properties.channel), calls.unfinished()],
      { concurrency: 3 }
    )
    const seen = (version: HostingVersion) => seenVersion(site, version)
    const own = channel !== null && channelStack(channel.labels) === stackIn(ref) ? channel : null
    const unfinished = uploads
      .map(seen)
      .filter(({ record }) => record?.stack === stackIn(ref))
      .sort((a, b) => b.createdAt - a.createdAt)
    const liveRelease = main?.release ?? null
    const live = liveRelease?.version ? seen(liveRelease.version) : null
    const staged = own?.release?.version ? seen(own.release.version) : null
    const candidate = staged ?? unfinished[0] ?? null
    const stable = live !== null && live.id === candidate?.id ? yield* before(calls, live, seen) : live
    const foreignChannel = own === null ? channel : null
    return { url, live, liveRelease, stable, candidate, channel: own, foreignChannel, unfinished }
  })

/** The version that was live before one that is. */
const before = (
  calls: SiteCalls,
  live: SeenVersion,
  seen: (version: HostingVersion) => SeenVersion
): Effect.Effect<SeenVersion | null, ProviderReason> =>
  Effect.map(calls.releases(), (releases) => {
    const earlier = releases.find(({ version }) => version?.id !== live.id)
    return earlier?.version ? seen(earlier.version) : null
  })

export const isReady = ({ status }: HostingVersion): boolean => status === "FINALIZED"

/** The releases of a site at the console. */
export const consolePage = (project: string, site: string): string =>
  `https://console.firebase.google.com/project/${project}/hosting/sites/${site}`

/** What the port says of a site. */
export const observation = (seen: SeenSite | null, project: string, site: string): Observation => {
  if (seen === null) return absent
  const { candidate, channel, live, liveRelease, stable, url } = seen
  if (live === null && candidate === null) return { ...absent, consoleUrl: consolePage(project, site) }
  const shown = [stable, candidate, live].filter((one) => one !== null)
  const uploading = candidate !== null && !isReady(candidate)
  const ready = candidate !== null && !uploading && channel?.release?.version?.id === candidate.id
  return {
    status: uploading ? "changing" : "ready",
    stable: stable?.release ?? null,
    candidate: candidate?.release ?? null,
    traffic: live === null ? [] : [{ releaseId: live.release.id, percent: 100 }],
    trafficSource: "configured",
    health: Object.fromEntries(
      shown.map((version) => [
        version.release.id,
        { healthy: isReady(version) ? 1 : 0, total: 1, unit: "release" as const }
      ])
    ),
    operation: uploading
      ? {
          id: candidate.id,
          description: `version ${candidate.id} of ${site} is being uploaded`,
          foreign: false,
          startedAt: candidate.createdAt
        }
      : null,
    lastChangedAt: channel?.release?.at ?? liveRelease?.at ?? null,
    outputs: live === null ? {} : { url, version: live.id },
    endpoints: ready ? { [candidate.release.id]: channel!.url } : {},
    resources: [...new Map(shown.map((version) => [version.id, version])).values()].map(({ id, status }) => ({
      id,
      type: "firebasehosting.googleapis.com/Version",
      status
    })),
    consoleUrl: consolePage(project, site)
  }
}
