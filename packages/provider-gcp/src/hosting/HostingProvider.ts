/**
 * The provider for sites of Firebase Hosting.
 */
import { type Capabilities, operationsOf, type Provider } from "@signalbox/core/spi"
import type { HostingOptions } from "./SiteAccess.ts"
import { SiteProperties } from "./SiteProperties.ts"

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
 * Creates the provider of kind `gcp:firebase-hosting`.
 *
 * *Details*: a release is a version of a site: files and settings, which never change. The candidate is on a preview
 * channel; the very version that was verified there is released, and a rollback releases the previous one. Hosting has no
 * preconditions, so only the guard stops a runner that lost its lease.
 *
 * *Errors*: `ProviderError`; `Broken` with the platform's reason if it refuses the version.
 */
export const make = (options: HostingOptions): Provider => {
  const { common, driftBy, trafficBy } = operationsOf(kind, {
    access: async () => new (await import("./SiteAccess.ts")).SiteAccess(options),
    planning: () => import("./Plan.ts"),
    staging: () => import("./Stage.ts"),
    restoring: () => import("./Restore.ts")
  })

  return {
    kind,
    capabilities,
    properties: SiteProperties,
    ...common,
    traffic: trafficBy(() => import("./Release.ts")),
    drift: driftBy(() => import("./Drift.ts")),
    exclusive: (ref) => {
      const { config = "firebase.json", site, target } = ref.properties as Partial<SiteProperties>
      const [name, path] =
        site !== undefined ? [site, "site"] : target !== undefined ? [target, "target"] : [config, "config"]
      return [{ name: `the Firebase Hosting site of ${name}`, path: [path] }]
    }
  }
}
