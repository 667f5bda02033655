/**
 * The provider for sites of Firebase Hosting.
 */
import {
  asProviderError,
  type Capabilities,
  type Mutation,
  noMutation,
  type PlanTarget,
  type PollOptions,
  type Provider,
  type ProviderReason,
  type StackRef
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { Gcp, type GcpOptions, gcpReason } from "../client/index.ts"
import { SiteCalls, type SiteFailure } from "./SiteCalls.ts"
import { HostingApi } from "./HostingApi.ts"
import { decode, SiteProperties } from "./SiteProperties.ts"
import { observation, see } from "./SeenSite.ts"
import { defaultProject, invalid, siteConfig, type SiteConfig } from "./SiteConfig.ts"
import type { SiteWork } from "./SiteWork.ts"

/** What a stack names as its provider. */
export const kind = "gcp:firebase-hosting"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "switch",
  capacity: false,
  fencing: "guarded",
  outputs: ["url", "version"],
  adopts: true
}

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

/**
 * Creates the provider of kind `gcp:firebase-hosting`.
 *
 * *Details*: a release is a version of a site: files and settings, which never change. The candidate is on a preview
 * channel; the very version that was verified there is released, and a rollback releases the previous one. Hosting has no
 * preconditions, so only the guard stops a runner that lost its lease.
 *
 * *Errors*: `ProviderError`; `Broken` with the platform's reason if it refuses the version.
 */
export const make = (options: HostingOptions): Provider => {
  const { directory } = options
  const gcp = new Gcp(options)
  const api = new HostingApi(gcp, options.hostingEndpoint)
  const named = asProviderError(kind)

  const projectOf = (ref: StackRef, properties: SiteProperties): Effect.Effect<string, ProviderReason> =>
    Effect.gen(function* () {
      const found =
        properties.project ??
        ref.account ??
        process.env["GOOGLE_CLOUD_PROJECT"] ??
        (yield* defaultProject(directory, properties)) ??
        (api.isLocal
          ? undefined
          : yield* Effect.tryPromise({
              try: () => gcp.project(),
              catch: (error) => gcpReason(error, "resourcemanager.projects.get")
            }))
      if (found !== undefined) return found
      const hint = "Set project, account of the environment, or GOOGLE_CLOUD_PROJECT."
      return yield* Effect.fail(invalid(["project"], "there is no project", hint))
    })

  /** A site that a property or `firebase.json` names. Its files are looked at only where they are deployed. */
  const workOn = (
    ref: StackRef,
    mutation: Mutation,
    artifact?: string
  ): Effect.Effect<{ readonly work: SiteWork; readonly config: SiteConfig }, ProviderReason> =>
    Effect.gen(function* () {
      const properties = yield* decode(ref.properties)
      const project = yield* projectOf(ref, properties)
      const config = yield* siteConfig(directory, properties, project, artifact)
      const { site } = config
      const calls = new SiteCalls(api, { project, site })
      const { poll } = options
      return {
        config,
        work: { ref, gcp, calls, directory, project, site, properties, mutation, ...(poll && { poll }) }
      }
    })

  /** Where the calls lead to, and as whom. */
  const targetOf = ({ project }: SiteWork): Effect.Effect<PlanTarget, ProviderReason> =>
    Effect.tryPromise({
      try: async () => {
        const principal = api.isLocal ? undefined : await gcp.principal()
        return { account: project, project, ...(principal === undefined ? {} : { principal }) }
      },
      catch: (error) => gcpReason(error, "iam.serviceAccounts.get")
    })

  const seen = (work: SiteWork) => Effect.map(see(work), (seen) => observation(seen, work.project, work.site))

  /** Carries out a mutation, and looks at what has become of it. */
  const mutate = (
    operation: string,
    ref: StackRef,
    mutation: Mutation,
    change: (work: SiteWork, config: SiteConfig) => Effect.Effect<void, SiteFailure>
  ) =>
    Effect.gen(function* () {
      const { config, work } = yield* workOn(ref, mutation)
      yield* change(work, config)
      return yield* seen(work)
    }).pipe(named(operation, ref))

  const releasing = Effect.promise(() => import("./Release.ts"))
  const restoring = Effect.promise(() => import("./Restore.ts"))
  const drifting = Effect.promise(() => import("./Drift.ts"))

  return {
    kind,
    capabilities,
    properties: SiteProperties,
    observe: (ref) => Effect.flatMap(workOn(ref, noMutation), ({ work }) => seen(work)).pipe(named("observe", ref)),
    plan: (ref, candidate, mutation) =>
      Effect.gen(function* () {
        const { config, work } = yield* workOn(ref, mutation ?? noMutation, candidate.artifact)
        const { plan } = yield* Effect.promise(() => import("./Plan.ts"))
        return yield* plan(work, config, candidate, { target: yield* targetOf(work), mutation })
      }).pipe(named("plan", ref)),
    stage: (ref, { capacityPercent, plan }, mutation) =>
      mutate("stage", ref, mutation, (work) =>
        capacityPercent === 100
          ? Effect.flatMap(
              Effect.promise(() => import("./Stage.ts")),
              ({ stage }) => stage(work, plan)
            )
          : Effect.fail<ProviderReason>({
              _tag: "Unsupported",
              message: "a version of a site is there as a whole",
              capability: "capacity"
            })
      ),
    traffic: {
      shift: (ref, options, mutation) =>
        mutate("shift", ref, mutation, (work) => Effect.flatMap(releasing, ({ shift }) => shift(work, options))),
      retire: (ref, options, mutation) =>
        mutate("retire", ref, mutation, (work, { entry }) =>
          Effect.flatMap(releasing, ({ retire }) => retire(work, entry, options))
        )
    },
    rollback: (ref, checkpoint, mutation) =>
      mutate("rollback", ref, mutation, (work) =>
        Effect.flatMap(restoring, ({ rollback }) => rollback(work, checkpoint))
      ),
    destroy: (ref, mutation) =>
      Effect.asVoid(
        mutate("destroy", ref, mutation, (work) => Effect.flatMap(restoring, ({ destroy }) => destroy(work)))
      ),
    drift: {
      detect: (ref) =>
        Effect.gen(function* () {
          const { work } = yield* workOn(ref, noMutation)
          const seen = yield* see(work)
          const { detect } = yield* drifting
          return seen === null ? [] : yield* detect(work, seen)
        }).pipe(named("detect", ref)),
      correct: (ref, fields, mutation) =>
        mutate("correct", ref, mutation, (work) => Effect.flatMap(drifting, ({ correct }) => correct(work, fields)))
    },
    canGoBack: (ref, checkpoint) =>
      Effect.gen(function* () {
        const { work } = yield* workOn(ref, noMutation)
        const { wayBack } = yield* restoring
        return yield* wayBack(work.calls, checkpoint)
      }).pipe(named("canGoBack", ref)),
    exclusive: (ref) => {
      const { config = "firebase.json", site, target } = ref.properties as Partial<SiteProperties>
      const [name, path] =
        site !== undefined ? [site, "site"] : target !== undefined ? [target, "target"] : [config, "config"]
      return [{ name: `the Firebase Hosting site of ${name}`, path: [path] }]
    }
  }
}
