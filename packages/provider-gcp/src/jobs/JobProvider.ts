/**
 * The provider for jobs of Cloud Run.
 */
import type { Capabilities, Provider } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { CloudRunOptions } from "../cloudrun/Access.ts"
import { defaultService } from "../cloudrun/Names.ts"
import { operationsOf } from "../operations.ts"
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
  const { change, look } = operationsOf(kind, async () => new (await import("./JobAccess.ts")).JobAccess(options))
  const running = Effect.promise(() => import("./Run.ts"))
  const restoring = Effect.promise(() => import("./Restore.ts"))

  return {
    kind,
    capabilities,
    properties: JobProperties,
    observe: (ref) => look("observe", ref, (work, cloud) => cloud.observe(work)),
    plan: (ref, candidate, mutation) =>
      look(
        "plan",
        ref,
        (work, cloud) =>
          Effect.gen(function* () {
            const { plan } = yield* Effect.promise(() => import("./Plan.ts"))
            return yield* plan(work, candidate, yield* cloud.target(work))
          }),
        { mutation }
      ),
    stage: (ref, { plan }, mutation) =>
      change("stage", ref, mutation, (work) => Effect.flatMap(running, ({ run }) => run(work, plan))),
    rollback: (ref, checkpoint, mutation) =>
      change("rollback", ref, mutation, (work) =>
        Effect.flatMap(restoring, ({ rollback }) => rollback(work, checkpoint))
      ),
    destroy: (ref, mutation) =>
      Effect.asVoid(
        change("destroy", ref, mutation, (work) => Effect.flatMap(restoring, ({ destroy }) => destroy(work)))
      ),
    canGoBack: (ref, checkpoint) =>
      look("canGoBack", ref, (work, cloud) =>
        Effect.gen(function* () {
          const { wayBack } = yield* restoring
          return wayBack(work.name, yield* cloud.see(work), checkpoint)
        })
      ),
    exclusive: (ref) => {
      const { job } = ref.properties as { readonly job?: string }
      return [{ name: `the Cloud Run job ${job ?? defaultService(ref)}`, path: ["job"] }]
    }
  }
}
