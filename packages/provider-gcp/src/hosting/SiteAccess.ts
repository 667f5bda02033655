/**
 * How the provider for sites reaches Firebase Hosting. It loads with the first operation.
 */
import type { Mutation, Observation, PlanTarget, PollOptions, ProviderReason, StackRef } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { Gcp, type GcpOptions, gcpReason } from "../client/index.ts"
import { HostingApi } from "./HostingApi.ts"
import { observation, see } from "./SeenSite.ts"
import { SiteCalls } from "./SiteCalls.ts"
import { defaultProject, invalid, siteConfig } from "./SiteConfig.ts"
import { decode, type SiteProperties } from "./SiteProperties.ts"
import type { SiteWork } from "./SiteWork.ts"

/**
 * How the provider works.
 *
 * *Details*: relative paths start in `directory`. `hostingEndpoint` is the address of the API (default
 * `FIREBASE_HOSTING_API_URL`, then the real one); over plain HTTP, no credentials are sent. `poll` is the time between
 * two polls of a service of Cloud Run that is pinned, in milliseconds.
 */
export interface HostingOptions extends GcpOptions {
  readonly directory: string
  readonly hostingEndpoint?: string
  readonly poll?: PollOptions
}

export class SiteAccess {
  readonly #options: HostingOptions
  readonly #gcp: Gcp
  readonly #api: HostingApi

  constructor(options: HostingOptions) {
    this.#options = options
    this.#gcp = new Gcp(options)
    this.#api = new HostingApi(this.#gcp, options.hostingEndpoint)
  }

  /** A site that a property or `firebase.json` names. Its files are looked at only where they are deployed. */
  workOn(ref: StackRef, mutation: Mutation, artifact?: string): Effect.Effect<SiteWork, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const { directory, poll } = this.#options
      const properties = yield* decode(ref.properties)
      const project = yield* this.#projectOf(ref, properties)
      const config = yield* siteConfig(directory, properties, project, artifact)
      const { site } = config
      const calls = new SiteCalls(this.#api, { project, site })
      const gcp = this.#gcp
      return { ref, gcp, calls, config, directory, project, site, properties, mutation, ...(poll && { poll }) }
    })
  }

  observe(work: SiteWork): Effect.Effect<Observation, ProviderReason> {
    return Effect.map(see(work), (seen) => observation(seen, work.project, work.site))
  }

  /** Where the calls lead to, and as whom. */
  target({ project }: SiteWork): Effect.Effect<PlanTarget, ProviderReason> {
    return Effect.tryPromise({
      try: async () => {
        const principal = this.#api.isLocal ? undefined : await this.#gcp.principal()
        return { account: project, project, ...(principal === undefined ? {} : { principal }) }
      },
      catch: (error) => gcpReason(error, "iam.serviceAccounts.get")
    })
  }

  #projectOf(ref: StackRef, properties: SiteProperties): Effect.Effect<string, ProviderReason> {
    return Effect.gen({ self: this }, function* () {
      const found =
        properties.project ??
        ref.account ??
        process.env["GOOGLE_CLOUD_PROJECT"] ??
        (yield* defaultProject(this.#options.directory, properties)) ??
        (this.#api.isLocal
          ? undefined
          : yield* Effect.tryPromise({
              try: () => this.#gcp.project(),
              catch: (error) => gcpReason(error, "resourcemanager.projects.get")
            }))
      if (found !== undefined) return found
      const hint = "Set project, account of the environment, or GOOGLE_CLOUD_PROJECT."
      return yield* Effect.fail(invalid(["project"], "there is no project", hint))
    })
  }
}
