import { effectProvider, type Plugin, stackBuilder, type StackBuilder } from "@signalbox/core/plugin"
import * as CloudRunProvider from "./cloudrun/CloudRunProvider.ts"
import type { Properties } from "./cloudrun/Properties.ts"
import * as JobProvider from "./jobs/JobProvider.ts"
import type { JobProperties } from "./jobs/JobProperties.ts"
import * as HostingProvider from "./hosting/HostingProvider.ts"
import type { SiteProperties } from "./hosting/SiteProperties.ts"

/**
 * The options of the plug-in.
 *
 * *Details*: `project` (default: the one of the stack or environment, then `GOOGLE_CLOUD_PROJECT`, then the one of the
 * credentials), `region` (default: the one of the environment, then `CLOUDSDK_RUN_REGION`), `endpoint` (default
 * `CLOUDSDK_API_ENDPOINT_OVERRIDES_RUN`) and `transport`, `grpc` (default) or `rest`, of Cloud Run; `metrics`,
 * whether gates judge the requests that Cloud Monitoring has counted (default true), at `monitoringEndpoint` (default
 * `CLOUDSDK_API_ENDPOINT_OVERRIDES_MONITORING`); `hostingEndpoint` (default `FIREBASE_HOSTING_API_URL`). Credentials are application default credentials.
 */
export interface GcpPluginOptions {
  readonly project?: string
  readonly region?: string
  readonly endpoint?: string
  readonly transport?: "grpc" | "rest"
  readonly metrics?: boolean
  readonly monitoringEndpoint?: string
  readonly hostingEndpoint?: string
}

/**
 * Deploys services and jobs of Cloud Run, and sites of Firebase Hosting.
 *
 * *Example*
 *
 * ```ts
 * defineConfig({ ..., plugins: [gcp({ project: "shop" })], stacks: [cloudRun({ name: "api", properties })] })
 * ```
 */
export const gcp = (options: GcpPluginOptions = {}): Plugin => ({
  name: "@signalbox/provider-gcp",
  spiVersion: 1,
  options: { ...options },
  providers: {
    [CloudRunProvider.kind]: effectProvider(() => CloudRunProvider.make(options)),
    [JobProvider.kind]: effectProvider(() => JobProvider.make(options)),
    [HostingProvider.kind]: effectProvider(({ directory }) => HostingProvider.make({ ...options, directory }))
  },
  commands: {
    gcp: {
      description: "Prepare Google Cloud for Signalbox: iam-roles prints the smallest role for a purpose",
      run: async (invocation) => (await import("./command.ts")).run(invocation)
    }
  }
})

/**
 * Builds a stack that is a service of Cloud Run, with typed properties.
 *
 * *Example*
 *
 * ```ts
 * cloudRun({ name: "api", properties: { image: "europe-docker.pkg.dev/shop/apps/api:${version}" } })
 * ```
 */
export const cloudRun: StackBuilder<typeof Properties.Encoded> = stackBuilder(CloudRunProvider.kind)

/**
 * Builds a stack that is a job of Cloud Run, with typed properties. It is `irreversible`, for the reason that it gives or
 * because a job cannot be undone.
 *
 * *Example*
 *
 * ```ts
 * cloudRunJob({ name: "migrate", properties: { image: "europe-docker.pkg.dev/shop/apps/migrate:${version}" } })
 * ```
 */
export const cloudRunJob: StackBuilder<typeof JobProperties.Encoded> = stackBuilder(JobProvider.kind)

/**
 * Builds a stack that is a site of Firebase Hosting, with typed properties.
 *
 * *Example*
 *
 * ```ts
 * firebaseHosting({ name: "web", dependsOn: ["api"], properties: { site: "shop" } })
 * ```
 */
export const firebaseHosting: StackBuilder<typeof SiteProperties.Encoded> = stackBuilder(HostingProvider.kind)
