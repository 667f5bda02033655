/**
 * The provider for services of Cloud Run.
 */
import {
  asProviderError,
  type Capabilities,
  type Mutation,
  noMutation,
  type Provider,
  type ProviderReason,
  type StackRef
} from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { Failure } from "../client/index.ts"
import type { Access, CloudRunOptions } from "./Access.ts"
import { measures } from "../monitoring/monitoringEndpoint.ts"
import { defaultService } from "./Names.ts"
import { Properties } from "./Properties.ts"
import type { Work } from "./Work.ts"

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
  const named = asProviderError(kind)
  let made: Access | undefined
  const access = Effect.promise(async () => (made ??= new (await import("./Access.ts")).Access(options)))

  /** Carries out a mutation, and looks at what has become of it. */
  const mutate = (
    operation: string,
    ref: StackRef,
    mutation: Mutation,
    change: (work: Work) => Effect.Effect<void, Failure>
  ) =>
    Effect.gen(function* () {
      const cloud = yield* access
      const work = yield* cloud.workOn(ref, mutation)
      yield* change(work)
      return yield* cloud.observe(work)
    }).pipe(named(operation, ref))

  const drifting = Effect.promise(() => import("./Drift.ts"))
  const restoring = Effect.promise(() => import("./Restore.ts"))

  return {
    kind,
    capabilities,
    properties: Properties,
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
    stage: (ref, { capacityPercent, plan }, mutation) =>
      mutate("stage", ref, mutation, (work) =>
        capacityPercent === 100
          ? Effect.flatMap(
              Effect.promise(() => import("./Stage.ts")),
              ({ stage }) => stage(work, plan)
            )
          : Effect.fail<ProviderReason>({
              _tag: "Unsupported",
              message: "Cloud Run scales revisions by itself",
              capability: "capacity"
            })
      ),
    traffic: {
      shift: (ref, options, mutation) =>
        mutate("shift", ref, mutation, (work) =>
          Effect.flatMap(
            Effect.promise(() => import("./Shift.ts")),
            ({ shift }) => shift(work, options)
          )
        ),
      retire: (ref, options, mutation) =>
        mutate("retire", ref, mutation, (work) =>
          Effect.flatMap(
            Effect.promise(() => import("./Shift.ts")),
            ({ retire }) => retire(work, options)
          )
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
    restart: (ref, mutation) =>
      mutate("restart", ref, mutation, (work) => Effect.flatMap(restoring, ({ restart }) => restart(work))),
    drift: {
      detect: (ref) =>
        Effect.gen(function* () {
          const cloud = yield* access
          const seen = yield* cloud.see(yield* cloud.workOn(ref, noMutation))
          const { detect } = yield* drifting
          return seen === null ? [] : detect(seen)
        }).pipe(named("detect", ref)),
      correct: (ref, fields, mutation) =>
        mutate("correct", ref, mutation, (work) => Effect.flatMap(drifting, ({ correct }) => correct(work, fields)))
    },
    ...(measures(options)
      ? {
          metrics: {
            resolution: Duration.seconds(60),
            lag: Duration.seconds(180),
            samples: false,
            measure: (ref, window) =>
              Effect.gen(function* () {
                const cloud = yield* access
                return yield* cloud.measure(yield* cloud.workOn(ref, noMutation), window)
              }).pipe(named("measure", ref))
          }
        }
      : {}),
    canGoBack: (ref, checkpoint) =>
      Effect.gen(function* () {
        const cloud = yield* access
        const work = yield* cloud.workOn(ref, noMutation)
        const { wayBack } = yield* restoring
        return yield* wayBack(work.calls, work.name, yield* cloud.see(work), checkpoint)
      }).pipe(named("canGoBack", ref)),
    exclusive: (ref) => {
      const { service } = ref.properties as { readonly service?: string }
      return [{ name: `the Cloud Run service ${service ?? defaultService(ref)}`, path: ["service"] }]
    }
  }
}
