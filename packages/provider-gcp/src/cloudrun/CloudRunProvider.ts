/**
 * The provider for services of Cloud Run.
 */
import type { Capabilities, Provider, ProviderReason } from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { measures } from "../monitoring/monitoringEndpoint.ts"
import { operationsOf } from "../operations.ts"
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
  const { change, look } = operationsOf(kind, async () => new (await import("./Access.ts")).Access(options))
  const staging = Effect.promise(() => import("./Stage.ts"))
  const shifting = Effect.promise(() => import("./Shift.ts"))
  const drifting = Effect.promise(() => import("./Drift.ts"))
  const restoring = Effect.promise(() => import("./Restore.ts"))

  return {
    kind,
    capabilities,
    properties: Properties,
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
    stage: (ref, { capacityPercent, plan }, mutation) =>
      change("stage", ref, mutation, (work) =>
        capacityPercent === 100
          ? Effect.flatMap(staging, ({ stage }) => stage(work, plan))
          : Effect.fail<ProviderReason>({
              _tag: "Unsupported",
              message: "Cloud Run scales revisions by itself",
              capability: "capacity"
            })
      ),
    traffic: {
      shift: (ref, options, mutation) =>
        change("shift", ref, mutation, (work) => Effect.flatMap(shifting, ({ shift }) => shift(work, options))),
      retire: (ref, options, mutation) =>
        change("retire", ref, mutation, (work) => Effect.flatMap(shifting, ({ retire }) => retire(work, options)))
    },
    rollback: (ref, checkpoint, mutation) =>
      change("rollback", ref, mutation, (work) =>
        Effect.flatMap(restoring, ({ rollback }) => rollback(work, checkpoint))
      ),
    destroy: (ref, mutation) =>
      Effect.asVoid(
        change("destroy", ref, mutation, (work) => Effect.flatMap(restoring, ({ destroy }) => destroy(work)))
      ),
    restart: (ref, mutation) =>
      change("restart", ref, mutation, (work) => Effect.flatMap(restoring, ({ restart }) => restart(work))),
    drift: {
      detect: (ref) =>
        look("detect", ref, (work, cloud) =>
          Effect.gen(function* () {
            const seen = yield* cloud.see(work)
            const { detect } = yield* drifting
            return seen === null ? [] : detect(seen)
          })
        ),
      correct: (ref, fields, mutation) =>
        change("correct", ref, mutation, (work) => Effect.flatMap(drifting, ({ correct }) => correct(work, fields)))
    },
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
    canGoBack: (ref, checkpoint) =>
      look("canGoBack", ref, (work, cloud) =>
        Effect.gen(function* () {
          const { wayBack } = yield* restoring
          return yield* wayBack(work.calls, work.name, yield* cloud.see(work), checkpoint)
        })
      ),
    exclusive: (ref) => {
      const { service } = ref.properties as { readonly service?: string }
      return [{ name: `the Cloud Run service ${service ?? defaultService(ref)}`, path: ["service"] }]
    }
  }
}
