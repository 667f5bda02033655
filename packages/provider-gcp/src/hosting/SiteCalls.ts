/**
 * The calls of Firebase Hosting, as effects with classified failures and a deadline.
 */
import type { Json, Mutation, ProviderError, ProviderReason } from "@signalbox/core/spi"
import type { Readable } from "node:stream"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { type ApiAnswer, gcpReason } from "../client/index.ts"
import type { ApiCall, HostingApi } from "./HostingApi.ts"
import type { Labels } from "./Names.ts"
import {
  channelFrom,
  type HostingChannel,
  type HostingRelease,
  type HostingVersion,
  releaseFrom,
  versionFrom
} from "./Resources.ts"

/** What a step fails with; the provider adds the name of the stack. */
export type SiteFailure = ProviderReason | ProviderError

/** Longer than an answer takes. */
const longest = 10_000

/** So much earlier than the lease does a call end. */
const margin = 500

/** What has to be sent of a file, and until when: small files have half a minute, large ones 20 ms a kilobyte. */
export const uploadTimeout = (size: number): number => Math.min(Math.max((size / 1000) * 20, 30_000), 7_200_000)

const orMissing = Effect.catch((reason: ProviderReason) =>
  reason._tag === "Missing" ? Effect.succeed(null) : Effect.fail(reason)
)

type Sent = Omit<ApiCall, "timeout">

export class SiteCalls {
  readonly #api: HostingApi
  readonly #site: string
  readonly #project: string

  constructor(api: HostingApi, { project, site }: { readonly project: string; readonly site: string }) {
    this.#api = api
    this.#project = project
    this.#site = `projects/${project}/sites/${site}`
  }

  /** The calls for another site of the project. */
  at(site: string): SiteCalls {
    return new SiteCalls(this.#api, { project: this.#project, site })
  }

  /** The address of the site; null if there is no such site. */
  address(): Effect.Effect<string | null, ProviderReason> {
    return Effect.map(this.#read("sites.get", { method: "GET", path: this.#site }), ({ defaultUrl }) =>
      String(defaultUrl ?? "")
    ).pipe(orMissing)
  }

  /** The sites of the project, by ID. */
  sites(): Effect.Effect<ReadonlyArray<string>, ProviderReason> {
    const path = `projects/${this.#project}/sites`
    return Effect.map(this.#pages("sites.list", path, "sites"), (sites) =>
      sites.map(({ name }) => String(name).replace(/^.*\//, ""))
    )
  }

  /** A channel; null if there is none, or if it has expired. */
  channel(id: string): Effect.Effect<HostingChannel | null, ProviderReason> {
    return Effect.map(
      this.#read("channels.get", { method: "GET", path: `${this.#site}/channels/${id}` }),
      channelFrom
    ).pipe(orMissing)
  }

  channels(): Effect.Effect<ReadonlyArray<HostingChannel>, ProviderReason> {
    return Effect.map(this.#pages("channels.list", `${this.#site}/channels`, "channels"), (all) => all.map(channelFrom))
  }

  /** A version; null if there is none. */
  version(id: string): Effect.Effect<HostingVersion | null, ProviderReason> {
    return Effect.map(
      this.#read("versions.get", { method: "GET", path: `${this.#site}/versions/${id}` }),
      versionFrom
    ).pipe(orMissing)
  }

  /** The versions that are being uploaded. */
  unfinished(): Effect.Effect<ReadonlyArray<HostingVersion>, ProviderReason> {
    const query = { filter: 'status = "CREATED"' }
    return Effect.map(this.#pages("versions.list", `${this.#site}/versions`, "versions", query), (all) =>
      all.map(versionFrom).filter(({ status }) => status === "CREATED")
    )
  }

  /** The latest releases of the live channel, newest first. */
  releases(): Effect.Effect<ReadonlyArray<HostingRelease>, ProviderReason> {
    const path = `${this.#site}/channels/live/releases`
    return Effect.map(
      this.#read("releases.list", { method: "GET", path, query: { pageSize: "100" } }),
      ({ releases }) => ((releases ?? []) as ReadonlyArray<unknown>).map(releaseFrom)
    )
  }

  createVersion(labels: Labels, mutation: Mutation): Effect.Effect<HostingVersion, SiteFailure> {
    const path = `${this.#site}/versions`
    return Effect.map(
      this.#change("versions.create", mutation, { method: "POST", path, body: { status: "CREATED", labels } }),
      versionFrom
    )
  }

  /** Adds files to a version, and returns where to send the missing ones. */
  populate(
    version: string,
    files: Readonly<Record<string, string>>,
    mutation: Mutation
  ): Effect.Effect<{ readonly url: string; readonly missing: ReadonlyArray<string> }, SiteFailure> {
    const path = `${this.#site}/versions/${version}:populateFiles`
    // To add a file twice is to add it once.
    return Effect.map(
      this.#change("versions.update", mutation, { method: "POST", path, body: { files } }, repeatable),
      ({ uploadRequiredHashes, uploadUrl }) => ({
        url: String(uploadUrl),
        missing: (uploadRequiredHashes ?? []) as ReadonlyArray<string>
      })
    )
  }

  /**
   * Sends a file. It takes as long as it takes: content by its hash is no change of the site, so that a late one does no
   * harm. One that is there already is done.
   */
  upload(
    url: string,
    file: {
      readonly hash: string
      readonly size: number
      readonly body: () => Promise<Buffer | Readable>
    },
    { guard }: Mutation
  ): Effect.Effect<void, SiteFailure> {
    const once = Effect.andThen(
      guard,
      Effect.tryPromise({
        try: async (signal) =>
          this.#api.upload(`${url}/${file.hash}`, await file.body(), uploadTimeout(file.size), signal),
        catch: (error) =>
          (error as { readonly code?: number }).code === alreadyExists
            ? ({ _tag: "Done" } as const)
            : gcpReason(error, "firebasehosting.versions.update")
      })
    )
    return again(once, repeatable).pipe(
      Effect.catch((failure) => (failure._tag === "Done" ? Effect.void : Effect.fail(failure)))
    )
  }

  finalize(version: string, config: Json, mutation: Mutation): Effect.Effect<HostingVersion, SiteFailure> {
    return Effect.map(
      this.#change(
        "versions.update",
        mutation,
        {
          method: "PATCH",
          path: `${this.#site}/versions/${version}`,
          query: { updateMask: "status,config" },
          body: { status: "FINALIZED", config }
        },
        repeatable
      ),
      versionFrom
    )
  }

  deleteVersion(version: string, mutation: Mutation): Effect.Effect<void, SiteFailure> {
    return this.#remove("versions.delete", `${this.#site}/versions/${version}`, mutation)
  }

  createChannel(
    id: string,
    ttl: number,
    labels: Labels,
    mutation: Mutation
  ): Effect.Effect<HostingChannel, SiteFailure> {
    const body = { ttl: `${ttl}s`, labels }
    const path = `${this.#site}/channels`
    return Effect.map(
      this.#change("channels.create", mutation, { method: "POST", path, query: { channelId: id }, body }, repeatable),
      channelFrom
    )
  }

  /** Lets a channel last longer. */
  extendChannel(id: string, ttl: number, mutation: Mutation): Effect.Effect<HostingChannel, SiteFailure> {
    return Effect.map(
      this.#change(
        "channels.update",
        mutation,
        {
          method: "PATCH",
          path: `${this.#site}/channels/${id}`,
          query: { updateMask: "ttl" },
          body: { ttl: `${ttl}s` }
        },
        repeatable
      ),
      channelFrom
    )
  }

  deleteChannel(id: string, mutation: Mutation): Effect.Effect<void, SiteFailure> {
    return this.#remove("channels.delete", `${this.#site}/channels/${id}`, mutation)
  }

  /** Releases a version on a channel; null takes the channel offline. After a lost answer, the message tells. */
  release(
    channel: string,
    version: HostingVersion | null,
    message: string,
    mutation: Mutation
  ): Effect.Effect<HostingRelease, SiteFailure> {
    return this.#change("releases.create", mutation, {
      method: "POST",
      path: `${this.#site}/channels/${channel}/releases`,
      query: version === null ? {} : { versionName: version.name },
      body: { message, ...(version === null ? { type: "SITE_DISABLE" } : {}) }
    }).pipe(
      Effect.map(releaseFrom),
      Effect.catch((failure) =>
        Effect.gen({ self: this }, function* () {
          const found = failure._tag === "Unavailable" ? (yield* this.channel(channel))?.release : null
          return found?.message === message ? found : yield* Effect.fail(failure)
        })
      )
    )
  }

  #remove(call: string, path: string, mutation: Mutation): Effect.Effect<void, SiteFailure> {
    return this.#change(call, mutation, { method: "DELETE", path }, repeatable).pipe(
      Effect.asVoid,
      Effect.catch((failure) => (failure._tag === "Missing" ? Effect.void : Effect.fail(failure)))
    )
  }

  /**
   * Runs the guard, and then calls with a deadline before the end of the lease. A call that was throttled had no effect,
   * so it is made again. After a lost answer, only a call is repeated whose second effect would be none.
   */
  #change(
    call: string,
    { guard, leaseLeft }: Mutation,
    sent: Sent,
    mayRepeat: MayRepeat = throttled
  ): Effect.Effect<ApiAnswer, SiteFailure> {
    const once = Effect.gen({ self: this }, function* () {
      const left = Duration.toMillis(yield* leaseLeft) - margin
      yield* guard
      if (left <= 0) {
        const message = `the lease does not last long enough for firebasehosting.${call}`
        return yield* Effect.fail<ProviderReason>({ _tag: "Unavailable", message })
      }
      return yield* this.#once(call, { ...sent, timeout: Math.min(longest, left) })
    })
    return again(once, mayRepeat)
  }

  #read(call: string, sent: Sent): Effect.Effect<ApiAnswer, ProviderReason> {
    return again(this.#once(call, { ...sent, timeout: longest }), repeatable)
  }

  #pages(
    call: string,
    path: string,
    key: string,
    query: Readonly<Record<string, string>> = {}
  ): Effect.Effect<ReadonlyArray<ApiAnswer>, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const all: Array<ApiAnswer> = []
      for (let pageToken = ""; ;) {
        const token = pageToken === "" ? {} : { pageToken }
        const answer = yield* this.#read(call, { method: "GET", path, query: { ...query, pageSize: "100", ...token } })
        all.push(...((answer[key] ?? []) as ReadonlyArray<ApiAnswer>))
        pageToken = String(answer["nextPageToken"] ?? "")
        if (pageToken === "") return all
      }
    })
  }

  #once(call: string, sent: ApiCall): Effect.Effect<ApiAnswer, ProviderReason> {
    return Effect.tryPromise({
      try: (signal) => this.#api.call(sent, signal),
      catch: (error) => reasonOf(error, call)
    }).pipe(Effect.withSpan(`FirebaseHosting.${call}`))
  }
}

const alreadyExists = 6

/** A quota of channels does not pass, as a throttled call does. */
const reasonOf = (error: unknown, call: string): ProviderReason => {
  const reason = gcpReason(error, `firebasehosting.${call}`)
  return reason._tag === "Throttled" && call === "channels.create" && /quota/i.test(reason.message)
    ? { _tag: "Quota", message: reason.message }
    : reason
}

type MayRepeat = (failure: { readonly _tag: string }) => boolean

const throttled: MayRepeat = ({ _tag }) => _tag === "Throttled"
const repeatable: MayRepeat = ({ _tag }) => _tag === "Throttled" || _tag === "Unavailable"

/** So many times more is a call made that failed quickly, so that one lost answer does not repeat a whole step. */
const repeats = 4

/** What takes longer is left to the engine, which knows how long a step may wait. */
const quick = 1_000

/** Repeats a call that fails quickly and may be repeated soon. */
const again = <A, E extends { readonly _tag: string }>(
  call: Effect.Effect<A, E>,
  mayRepeat: MayRepeat
): Effect.Effect<A, E> =>
  Effect.gen(function* () {
    for (let repeat = 0; ; repeat++) {
      const began = yield* Clock.currentTimeMillis
      const result = yield* Effect.result(call)
      if (result._tag === "Success") return result.success
      const { failure } = result
      const { retryAfterMs } = failure as { readonly retryAfterMs?: number }
      const pause = retryAfterMs ?? 50 * 2 ** repeat
      const slow = pause > quick || (yield* Clock.currentTimeMillis) - began > quick
      if (!mayRepeat(failure) || slow || repeat === repeats) return yield* Effect.fail(failure)
      yield* Effect.sleep(pause)
    }
  })
