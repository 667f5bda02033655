/**
 * The provider for services of Cloud Run.
 */
import { type Capabilities, operationsOf, type Provider } from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import { measures } from "../monitoring/monitoringEndpoint.ts"
import type { CloudRunOptions } from "./Access.ts"
import { defaultService } from "./Names.ts"
import { Properties } from "./Properties.ts"

/** What a stack names as its provider. */
export const kind = "gcp:cloud-run"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "percent",
  capacity: false,
  fencing: "compared",
  outputs: ["url", "revision"],
  firstRelease: "live",
  adopts: true
}

/**
 * Creates the provider of kind `gcp:cloud-run`.
 *
 * *Details*: a release is an image with its configuration, and runs as a revision whose name follows from it. Each change
 * names the state that was read (an etag) and records its fence in the service, so that Cloud Run refuses a late one.
 *
 * *Errors*: `ProviderError`; `Broken` with the condition of the revision if it does not become ready.
 */
export const make = (options: CloudRunOptions): Provider => {
  const restoring = () => import("./Restore.ts")
  const { change, common, driftBy, look, trafficBy } = operationsOf(kind, {
    access: async () => new (await import("./Access.ts")).Access(options),
    planning: () => import("./Plan.ts"),
    staging: () => import("./Stage.ts"),
    restoring
  })

  return {
    kind,
    capabilities,
    properties: Properties,
    ...common,
    traffic: trafficBy(() => import("./Shift.ts")),
    restart: (ref, mutation) => change("restart", ref, mutation, restoring, ({ restart }, work) => restart(work)),
    drift: driftBy(() => import("./Drift.ts")),
    ...(measures(options)
      ? {
          metrics: {
            resolution: Duration.seconds(60),
            lag: Duration.seconds(180),
            samples: false,
            measure: (ref, window) => look("measure", ref, (work, cloud) => cloud.measure(work, window))
          }
        }
      : {}),
    exclusive: (ref) => {
      const { service } = ref.properties as { readonly service?: string }
      return [{ name: `the Cloud Run service ${service ?? defaultService(ref)}`, path: ["service"] }]
    }
  }
}
