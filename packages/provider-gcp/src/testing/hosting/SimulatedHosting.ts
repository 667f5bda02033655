/**
 * Firebase Hosting as a test sees and changes it, without its API.
 */
import { createHash } from "node:crypto"
import { gzipSync } from "node:zlib"
import type { Hosting } from "./Hosting.ts"
import {
  type ChannelJson,
  lastPart,
  type ReleaseJson,
  type ServingConfigJson,
  type VersionJson,
  type VersionStatus
} from "./HostingState.ts"
import type { Finalizing } from "./Site.ts"

/**
 * Firebase Hosting of a simulator.
 *
 * *Details*: `url` is the address of its API. `site` makes a site known, without a release. `live` is the address of a
 * site, `versions`, `channels` and `releases` (of the live channel by default) are newest first, as the API shows them.
 *
 * As a person at the console or another tool does it: `deploy` uploads files and releases them, without labels; `release`
 * releases a version again, `disable` takes a site offline, `channel` adds a preview channel that lasts for `seconds`.
 *
 * `mark` gives a version a status, as the platform does with old ones (`DELETED`, `EXPIRED`). `onFile` says what happens
 * when a version with a file of that path is finalized: it takes so long, or is refused. `later` moves the clock that
 * channels expire by, in seconds.
 */
export interface SimulatedHosting {
  readonly url: string
  readonly site: (project: string, site: string) => Promise<void>
  readonly live: (site: string) => string
  readonly versions: (site: string) => ReadonlyArray<VersionJson>
  readonly channels: (site: string) => ReadonlyArray<ChannelJson>
  readonly releases: (site: string, channel?: string) => ReadonlyArray<ReleaseJson>
  readonly paths: (version: string) => ReadonlyArray<string>
  readonly deploy: (
    site: string,
    files: Readonly<Record<string, string>>,
    config?: ServingConfigJson
  ) => Promise<ReleaseJson>
  readonly release: (site: string, version: string, channel?: string) => Promise<ReleaseJson>
  readonly disable: (site: string) => Promise<ReleaseJson>
  readonly channel: (site: string, channel: string, seconds?: number) => Promise<ChannelJson>
  readonly mark: (version: string, status: VersionStatus) => void
  readonly onFile: (path: string, finalizing: Finalizing) => void
  readonly later: (seconds: number) => void
}

const person = "someone@example.com"

export const simulatedHosting = (
  hosting: Hosting,
  { finalizing, later }: { readonly finalizing: Map<string, Finalizing>; readonly later: (seconds: number) => void }
): SimulatedHosting => ({
  url: hosting.url,
  site: async (project, site) => void (await hosting.open(project, site)),
  live: (site) => hosting.site(site).json.defaultUrl,
  versions: (site) => hosting.site(site).list,
  channels: (site) => [...hosting.site(site).channels.values()].map(({ json }) => json).reverse(),
  releases: (site, channel = "live") => hosting.site(site).channels.get(channel)?.releases ?? [],
  paths: (version) => {
    const [, site, , id] = version.split("/")
    return [...hosting.site(site).version(id!).files.keys()]
  },
  deploy: async (id, files, config = {}) => {
    const site = hosting.site(id)
    const version = lastPart(site.createVersion({}, person).name)
    for (const [path, text] of Object.entries(files)) {
      const body = gzipSync(text)
      const hash = createHash("sha256").update(body).digest("hex")
      if (site.populate(version, { [path]: hash }).length > 0) site.upload(version, hash, body)
    }
    const { name } = await site.finalize(version, config, person)
    return site.release("live", name, {}, person)
  },
  release: async (site, version, channel = "live") => hosting.site(site).release(channel, version, {}, person),
  disable: async (site) => hosting.site(site).release("live", undefined, { type: "SITE_DISABLE" }, person),
  channel: (site, channel, seconds = 604_800) => hosting.site(site).createChannel(channel, { ttl: `${seconds}s` }),
  mark: (version, status) => {
    const [, site, , id] = version.split("/")
    hosting.site(site).mark(id!, status)
  },
  onFile: (path, what) => void finalizing.set(path, what),
  later
})
