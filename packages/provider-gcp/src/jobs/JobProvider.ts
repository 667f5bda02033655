/**
 * The provider for jobs of Cloud Run.
 */
import { type Capabilities, operationsOf, type Provider } from "@signalbox/core/spi"
import type { CloudRunOptions } from "../cloudrun/Access.ts"
import { defaultService } from "../cloudrun/Names.ts"
import { JobProperties } from "./JobProperties.ts"

/** What a stack names as its provider. */
export const kind = "gcp:cloud-run-job"

export const capabilities: Capabilities = {
  spiVersion: 1,
  traffic: "none",
  capacity: false,
  fencing: "compared",
  outputs: ["job"],
  irreversible: "what a job did cannot be undone"
}

/**
 * Creates the provider of kind `gcp:cloud-run-job`.
 *
 * *Details*: a release is an image with its configuration, and is live once an execution of it has succeeded. The
 * execution carries the step that started it in an annotation, so that a repeat finds it and starts no second one.
 *
 * *Errors*: `ProviderError`; `Broken` with the condition of an execution that failed.
 */
export const make = (options: CloudRunOptions): Provider => {
  const { common } = operationsOf(kind, {
    access: async () => new (await import("./JobAccess.ts")).JobAccess(options),
    planning: () => import("./Plan.ts"),
    staging: () => import("./Run.ts"),
    restoring: () => import("./Restore.ts")
  })

  return {
    kind,
    capabilities,
    properties: JobProperties,
    ...common,
    exclusive: (ref) => {
      const { job } = ref.properties as { readonly job?: string }
      return [{ name: `the Cloud Run job ${job ?? defaultService(ref)}`, path: ["job"] }]
    }
  }
}
