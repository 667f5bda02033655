/**
 * The calls of Firebase Hosting that are simulated, as functions from JSON to JSON.
 */
import { ApiError } from "../ApiError.ts"
import type { JsonMessage } from "../Protos.ts"
import type { Handler } from "../RunState.ts"
import {
  type ChannelJson,
  lastPart,
  type ReleaseJson,
  type ServingConfigJson,
  type VersionJson
} from "./HostingState.ts"
import { Site, type Surroundings } from "./Site.ts"

/** The name under which its calls are known. */
export const hostingService = "google.firebase.hosting.v1beta1.Hosting"

/** Answers are kept as JSON, so that their types say more than `JsonMessage`. */
const message = (value: object): JsonMessage => structuredClone(value) as JsonMessage
const text = (value: unknown): string => (typeof value === "string" ? value : "")

const page = <A extends object>(
  key: string,
  all: ReadonlyArray<A>,
  { pageSize, pageToken }: JsonMessage
): JsonMessage => {
  const from = Number(pageToken ?? 0)
  const to = from + Number(pageSize ?? 25)
  return { [key]: all.slice(from, to).map(message), ...(to < all.length ? { nextPageToken: String(to) } : {}) }
}

export class Hosting {
  readonly sites = new Map<string, Site>()
  /** The address of the server, which is known once it listens. */
  url = ""
  readonly #world: Surroundings
  readonly #operations = new Map<string, JsonMessage>()

  constructor(world: Surroundings) {
    this.#world = world
  }

  readonly handlers: Readonly<Record<string, Handler>> = {
    GetSite: ({ site }) => message(this.site(site).json),
    ListSites: ({ project, ...rest }) =>
      page(
        "sites",
        [...this.sites.values()].flatMap((site) => (site.project === project ? [site.json] : [])),
        rest
      ),
    CreateSite: async ({ project, siteId }) => message((await this.open(text(project), text(siteId))).json),
    CreateVersion: ({ body, site }, email) => message(this.site(site).createVersion(body as object, email)),
    GetVersion: ({ site, version }) => message(this.site(site).version(text(version)).json),
    ListVersions: ({ filter, site, ...rest }) => {
      const status = /^status ?= ?"(\w+)"$/.exec(text(filter))?.[1]
      const all = this.site(site).list
      return page("versions", status === undefined ? all : all.filter((one) => one.status === status), rest)
    },
    PopulateFiles: ({ body, site, version }) => {
      const { files = {} } = body as { readonly files?: Record<string, string> }
      const uploadRequiredHashes = this.site(site).populate(text(version), files)
      const uploadUrl = `${this.url}/upload/sites/${text(site)}/versions/${text(version)}/files`
      return message({ uploadUrl, ...(uploadRequiredHashes.length === 0 ? {} : { uploadRequiredHashes }) })
    },
    UpdateVersion: async ({ body, site, updateMask, version }, email) => {
      const { config = {}, status } = body as { readonly config?: ServingConfigJson; readonly status?: string }
      const mask = text(updateMask).split(",")
      if (status !== "FINALIZED" || !mask.includes("status")) {
        throw new ApiError("INVALID_ARGUMENT", `The simulator cannot update ${text(updateMask)} of a version.`)
      }
      return message(await this.site(site).finalize(text(version), config, email))
    },
    DeleteVersion: ({ site, version }) => {
      const found = this.site(site)
      const { json } = found.version(text(version))
      const shown = [...found.channels.values()].some(
        ({ json: channel }) => channel.release?.version?.name === json.name
      )
      if (shown) throw new ApiError("FAILED_PRECONDITION", `Version '${text(version)}' is released on a channel.`)
      found.mark(text(version), "DELETED")
      return {}
    },
    CloneVersion: ({ body, site }, email) => {
      const { sourceVersion } = body as { readonly sourceVersion: string }
      const source = this.site(/sites\/([^/]+)/.exec(sourceVersion)?.[1])
      const version = this.site(site).copy(source, lastPart(sourceVersion), email)
      const name = `sites/${text(site)}/operations/${lastPart(version.name)}`
      this.#operations.set(name, message({ name, done: true, response: version satisfies VersionJson }))
      return this.#operations.get(name)!
    },
    GetOperation: ({ name }) => {
      const found = this.#operations.get(text(name))
      if (found === undefined) throw new ApiError("NOT_FOUND", `Operation '${text(name)}' was not found.`)
      return found
    },
    CreateChannel: async ({ body, channelId, site }) =>
      message(await this.site(site).createChannel(text(channelId), body as Partial<ChannelJson>)),
    GetChannel: ({ channel, site }) => message(this.site(site).channel(text(channel)).json),
    ListChannels: ({ site, ...rest }) =>
      page(
        "channels",
        [...this.site(site).channels.values()].map(({ json }) => json),
        rest
      ),
    UpdateChannel: ({ body, channel, site }) =>
      message(this.site(site).updateChannel(text(channel), body as Partial<ChannelJson>)),
    DeleteChannel: async ({ channel, site }) => {
      await this.site(site).deleteChannel(text(channel))
      return {}
    },
    CreateRelease: ({ body, channel, site, versionName }, email) => {
      const release = (body ?? {}) as Partial<ReleaseJson>
      return message(
        this.site(site).release(
          text(channel),
          versionName === undefined ? undefined : text(versionName),
          release,
          email
        )
      )
    },
    ListReleases: ({ channel, site, ...rest }) =>
      page("releases", this.site(site).channel(text(channel)).releases, rest)
  }

  /** A file arrives as bytes; only their number is recorded. */
  upload(site: string, version: string, hash: string, body: Buffer): void {
    this.site(site).upload(version, hash, body)
  }

  site(id: unknown): Site {
    const found = this.sites.get(text(id))
    if (found === undefined) throw new ApiError("NOT_FOUND", `Requested entity was not found: site '${text(id)}'.`)
    return found
  }

  async open(project: string, id: string): Promise<Site> {
    if (this.sites.has(id)) throw new ApiError("ALREADY_EXISTS", `Site '${id}' already exists.`)
    const site = await Site.open(project, id, this.#world)
    this.sites.set(id, site)
    return site
  }

  async close(): Promise<void> {
    await Promise.all([...this.sites.values()].map((site) => site.close()))
  }
}
