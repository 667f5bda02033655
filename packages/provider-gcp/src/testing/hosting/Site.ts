/**
 * A site of Firebase Hosting: its versions with their files, its channels, and what each channel shows.
 */
import { createHash, randomUUID } from "node:crypto"
import { gunzipSync } from "node:zlib"
import { ApiError } from "../ApiError.ts"
import {
  type ChannelJson,
  checkChannel,
  checkConfig,
  checkLabels,
  lastPart,
  type ReleaseJson,
  type RunTargetJson,
  secondsOf,
  type ServingConfigJson,
  type VersionJson,
  type VersionStatus
} from "./HostingState.ts"
import { SiteServer } from "./SiteServer.ts"

/** What happens when a version with a certain file is finalized. */
export interface Finalizing {
  readonly millis?: number
  readonly refuse?: ApiError
}

/** What a site needs of the world around it. */
export interface Surroundings {
  readonly now: () => number
  readonly channelLimit: number
  readonly finalizing: ReadonlyMap<string, Finalizing>
  readonly run: (project: string, target: RunTargetJson) => string | undefined
}

interface Version {
  json: VersionJson
  readonly files: Map<string, string>
}

interface Channel {
  json: ChannelJson
  readonly releases: Array<ReleaseJson>
  readonly server: SiteServer
}

const unfinished = 12 * 60 * 60 * 1000

const invalid = (message: string): ApiError => new ApiError("INVALID_ARGUMENT", message)
const missing = (message: string): ApiError => new ApiError("NOT_FOUND", message)

export class Site {
  readonly id: string
  readonly project: string
  readonly versions = new Map<string, Version>()
  readonly channels = new Map<string, Channel>()
  readonly #blobs = new Map<string, Buffer>()
  readonly #world: Surroundings

  private constructor(project: string, id: string, world: Surroundings) {
    this.project = project
    this.id = id
    this.#world = world
  }

  static async open(project: string, id: string, world: Surroundings): Promise<Site> {
    const site = new Site(project, id, world)
    await site.#addChannel("live", {})
    return site
  }

  get json() {
    const defaultUrl = this.channels.get("live")!.json.url
    return { name: `projects/${this.project}/sites/${this.id}`, defaultUrl, type: "USER_SITE" }
  }

  createVersion({ labels = {} }: Partial<VersionJson>, email: string): VersionJson {
    checkLabels(labels)
    const id = randomUUID().replaceAll("-", "").slice(0, 16)
    const json: VersionJson = {
      name: `sites/${this.id}/versions/${id}`,
      status: "CREATED",
      labels,
      createTime: this.#time(),
      createUser: { email }
    }
    this.versions.set(id, { json, files: new Map() })
    return json
  }

  /** The versions, newest first. */
  get list(): ReadonlyArray<VersionJson> {
    return [...this.versions.keys()].map((id) => this.version(id).json).reverse()
  }

  /** A version; one that was not finalized in time is abandoned. */
  version(id: string): Version {
    const found = this.versions.get(id)
    if (found === undefined) throw missing(`Version '${id}' of site '${this.id}' was not found.`)
    const { createTime, status } = found.json
    if (status === "CREATED" && this.#world.now() - Date.parse(createTime) > unfinished) this.mark(id, "ABANDONED")
    return found
  }

  mark(id: string, status: VersionStatus): void {
    const found = this.versions.get(id)!
    const deleted = status === "DELETED" ? { deleteTime: this.#time() } : {}
    found.json = { ...found.json, status, ...deleted }
  }

  populate(id: string, files: Readonly<Record<string, string>>): ReadonlyArray<string> {
    const version = this.#unfinished(id)
    for (const [path, hash] of Object.entries(files)) {
      if (!path.startsWith("/")) throw invalid(`File path '${path}' must begin with a slash.`)
      if (!/^[0-9a-f]{64}$/.test(hash)) throw invalid(`'${hash}' is no SHA-256.`)
      version.files.set(path, hash)
    }
    return [...new Set(Object.values(files))].filter((hash) => !this.#blobs.has(hash))
  }

  upload(id: string, hash: string, body: Buffer): void {
    this.#unfinished(id)
    if (this.#blobs.has(hash)) throw new ApiError("ALREADY_EXISTS", `File '${hash}' already exists.`)
    if (createHash("sha256").update(body).digest("hex") !== hash) {
      throw invalid(`The content hash of the file is not '${hash}'.`)
    }
    this.#blobs.set(hash, body)
  }

  async finalize(id: string, config: ServingConfigJson, email: string): Promise<VersionJson> {
    const version = this.#unfinished(id)
    checkConfig(config)
    for (const path of version.files.keys()) {
      const { millis, refuse } = this.#world.finalizing.get(path) ?? {}
      if (millis !== undefined) await new Promise((resolve) => setTimeout(resolve, millis))
      if (refuse !== undefined) throw refuse
    }
    this.#unfinished(id)
    const absent = [...version.files.values()].filter((hash) => !this.#blobs.has(hash)).length
    if (absent > 0) throw invalid(`${absent} files of version '${id}' were not uploaded.`)
    for (const { run } of config.rewrites ?? []) {
      if (run === undefined || this.#world.run(this.project, run) !== undefined) continue
      const what = run.tag === undefined ? "" : ` with tag \`${run.tag}\``
      throw invalid(
        `Cloud Run service \`${run.serviceId}\`${what} does not exist in region \`${run.region}\` in this project.`
      )
    }
    const bytes = [...version.files.values()].reduce((sum, hash) => sum + this.#blobs.get(hash)!.length, 0)
    version.json = {
      ...version.json,
      status: "FINALIZED",
      config,
      finalizeTime: this.#time(),
      finalizeUser: { email },
      fileCount: String(version.files.size),
      versionBytes: String(bytes)
    }
    return version.json
  }

  /** A new version with the files and the configuration of another one. */
  copy(source: Site, id: string, email: string): VersionJson {
    const { files, json } = source.version(id)
    const copied = lastPart(this.createVersion(json, email).name)
    const target = this.versions.get(copied)!
    for (const [path, hash] of files) {
      target.files.set(path, hash)
      this.#blobs.set(hash, source.#blobs.get(hash)!)
    }
    const { config = {}, fileCount, versionBytes } = json
    const rest = { fileCount, versionBytes, finalizeTime: this.#time(), finalizeUser: { email } }
    target.json = { ...target.json, ...(rest as Partial<VersionJson>), status: "FINALIZED", config }
    return target.json
  }

  async createChannel(id: string, { labels, ttl }: Partial<ChannelJson>): Promise<ChannelJson> {
    checkChannel(this.id, id)
    if (this.channels.has(id)) throw new ApiError("ALREADY_EXISTS", `Channel '${id}' already exists.`)
    if (this.channels.size - 1 >= this.#world.channelLimit) {
      throw new ApiError("RESOURCE_EXHAUSTED", `The channel quota of site '${this.id}' was reached.`)
    }
    return (await this.#addChannel(id, { ...(labels && { labels }), ...this.#expiry(ttl ?? "604800s") })).json
  }

  updateChannel(id: string, change: Partial<ChannelJson>): ChannelJson {
    const channel = this.channel(id)
    const { labels, ttl } = change
    channel.json = {
      ...channel.json,
      ...(labels && { labels }),
      ...(ttl === undefined ? {} : this.#expiry(ttl)),
      updateTime: this.#time()
    }
    return channel.json
  }

  /** A channel that has not expired. */
  channel(id: string): Channel {
    const found = this.channels.get(id)
    if (found === undefined || this.#isOver(found.json)) {
      throw missing(`Channel '${id}' of site '${this.id}' was not found.`)
    }
    return found
  }

  /** An expired channel counts until it is deleted. */
  async deleteChannel(id: string): Promise<void> {
    const found = this.channels.get(id)
    if (found === undefined) throw missing(`Channel '${id}' of site '${this.id}' was not found.`)
    if (id === "live") throw new ApiError("FAILED_PRECONDITION", "The live channel cannot be deleted.")
    this.channels.delete(id)
    await found.server.close()
  }

  release(
    channelId: string,
    versionName: string | undefined,
    { message, type }: Partial<ReleaseJson>,
    email: string
  ): ReleaseJson {
    const channel = this.channel(channelId)
    if ((message ?? "").length > 512) throw invalid("The message of a release has at most 512 characters.")
    const made = {
      name: `sites/${this.id}/channels/${channelId}/releases/${randomUUID().replaceAll("-", "").slice(0, 16)}`,
      ...(message === undefined ? {} : { message }),
      releaseTime: this.#time(),
      releaseUser: { email }
    }
    const put = (release: ReleaseJson): ReleaseJson => {
      const { version } = release
      channel.server.show(version && this.#contents(lastPart(version.name)))
      channel.releases.unshift(release)
      channel.json = { ...channel.json, release, updateTime: this.#time() }
      return release
    }
    if (type === "SITE_DISABLE") return put({ ...made, type })
    if (versionName === undefined) throw invalid("A release needs a version.")
    if (!versionName.includes(`sites/${this.id}/versions/`)) throw invalid(`${versionName} is of another site.`)
    const { json: version } = this.version(lastPart(versionName))
    if (version.status !== "FINALIZED") throw invalid(`Version '${versionName}' is ${version.status}.`)
    const before = channel.releases.some((one) => one.version?.name === version.name)
    const latest = channel.releases[0]?.version?.name === version.name
    return put({ ...made, version, type: before && !latest ? "ROLLBACK" : "DEPLOY" })
  }

  async close(): Promise<void> {
    await Promise.all([...this.channels.values()].map(({ server }) => server.close()))
  }

  #unfinished(id: string): Version {
    const version = this.version(id)
    const { status } = version.json
    if (status === "DELETED") throw missing(`Version '${id}' of site '${this.id}' was deleted.`)
    if (status !== "CREATED") throw new ApiError("FAILED_PRECONDITION", `Version '${id}' is ${status} already.`)
    return version
  }

  #contents(id: string) {
    const { files, json } = this.versions.get(id)!
    const raw = new Map<string, Buffer>()
    const modified = Date.parse(json.finalizeTime!)
    return {
      config: json.config ?? {},
      file: (path: string) => {
        const hash = files.get(path)
        if (hash === undefined) return undefined
        const body = raw.get(hash) ?? gunzipSync(this.#blobs.get(hash)!)
        raw.set(hash, body)
        return { body, hash, modified }
      },
      run: (target: RunTargetJson) => this.#world.run(this.project, target)
    }
  }

  #expiry(ttl: string): Pick<ChannelJson, "ttl" | "expireTime"> {
    return { ttl, expireTime: new Date(this.#world.now() + secondsOf(ttl) * 1000).toISOString() }
  }

  async #addChannel(id: string, more: Partial<ChannelJson>): Promise<Channel> {
    const server = await new SiteServer(() => this.#isOver(channel.json)).open()
    const time = this.#time()
    const json = {
      name: `sites/${this.id}/channels/${id}`,
      url: server.url,
      createTime: time,
      updateTime: time,
      ...more
    }
    const channel: Channel = { json, releases: [], server }
    this.channels.set(id, channel)
    return channel
  }

  #isOver({ expireTime }: ChannelJson): boolean {
    return expireTime !== undefined && Date.parse(expireTime) <= this.#world.now()
  }

  #time(): string {
    return new Date(this.#world.now()).toISOString()
  }
}
