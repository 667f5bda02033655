/**
 * The provider for jobs of Cloud Run.
 */
import {
  asProviderError,
  type Capabilities,
  type Mutation,
  noMutation,
  type Provider,
  type StackRef
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import type { CloudRunOptions } from "../cloudrun/Access.ts"
import { defaultService } from "../cloudrun/Names.ts"
import type { JobAccess } from "./JobAccess.ts"
import { JobProperties } from "./JobProperties.ts"
import type { JobWork } from "./JobWork.ts"

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
  const named = asProviderError(kind)
  let made: JobAccess | undefined
  const access = Effect.promise(async () => (made ??= new (await import("./JobAccess.ts")).JobAccess(options)))

  /** Carries out a mutation, and looks at what has become of it. */
  const mutate = (
    operation: string,
    ref: StackRef,
    mutation: Mutation,
    change: (work: JobWork) => Effect.Effect<void, Failure>
  ) =>
    Effect.gen(function* () {
      const cloud = yield* access
      const work = yield* cloud.workOn(ref, mutation)
      yield* change(work)
      return yield* cloud.observe(work)
    }).pipe(named(operation, ref))

  const restoring = Effect.promise(() => import("./Restore.ts"))

  return {
    kind,
    capabilities,
    properties: JobProperties,
    observe: (ref) =>
      Effect.gen(function* () {
        const cloud = yield* access
        return yield* cloud.observe(yield* cloud.workOn(ref, noMutation))
      }).pipe(named("observe", ref)),
    plan: (ref, candidate) =>
      Effect.gen(function* () {
        const cloud = yield* access
        const work = yield* cloud.workOn(ref, noMutation)
        const { plan } = yield* Effect.promise(() => import("./Plan.ts"))
        return yield* plan(work, candidate, yield* cloud.target(work))
      }).pipe(named("plan", ref)),
    stage: (ref, { plan }, mutation) =>
      mutate("stage", ref, mutation, (work) =>
        Effect.flatMap(
          Effect.promise(() => import("./Run.ts")),
          ({ run }) => run(work, plan)
        )
      ),
    rollback: (ref, checkpoint, mutation) =>
      mutate("rollback", ref, mutation, (work) =>
        Effect.flatMap(restoring, ({ rollback }) => rollback(work, checkpoint))
      ),
    destroy: (ref, mutation) =>
      Effect.asVoid(
        mutate("destroy", ref, mutation, (work) => Effect.flatMap(restoring, ({ destroy }) => destroy(work)))
      ),
    canGoBack: (ref, checkpoint) =>
      Effect.gen(function* () {
        const cloud = yield* access
        const work = yield* cloud.workOn(ref, noMutation)
        const { wayBack } = yield* restoring
        return wayBack(work.name, yield* cloud.see(work), checkpoint)
      }).pipe(named("canGoBack", ref)),
    exclusive: (ref) => {
      const { job } = ref.properties as { readonly job?: string }
      return [{ name: `the Cloud Run job ${job ?? defaultService(ref)}`, path: ["job"] }]
    }
  }
}
