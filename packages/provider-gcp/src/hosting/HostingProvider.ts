/**
 * The provider for sites of Firebase Hosting.
 */
import type { Capabilities, Provider, ProviderReason } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { operationsOf } from "../operations.ts"
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
  const { change, look } = operationsOf(kind, async () => new (await import("./SiteAccess.ts")).SiteAccess(options))
  const staging = Effect.promise(() => import("./Stage.ts"))
  const releasing = Effect.promise(() => import("./Release.ts"))
  const restoring = Effect.promise(() => import("./Restore.ts"))
  const drifting = Effect.promise(() => import("./Drift.ts"))

  return {
    kind,
    capabilities,
    properties: SiteProperties,
    observe: (ref) => look("observe", ref, (work, cloud) => cloud.observe(work)),
    plan: (ref, candidate, mutation) =>
      look(
        "plan",
        ref,
        (work, cloud) =>
          Effect.gen(function* () {
            const { plan } = yield* Effect.promise(() => import("./Plan.ts"))
            return yield* plan(work, candidate, { target: yield* cloud.target(work), mutation })
          }),
        { mutation, artifact: candidate.artifact }
      ),
    stage: (ref, { capacityPercent, plan }, mutation) =>
      change("stage", ref, mutation, (work) =>
        capacityPercent === 100
          ? Effect.flatMap(staging, ({ stage }) => stage(work, plan))
          : Effect.fail<ProviderReason>({
              _tag: "Unsupported",
              message: "a version of a site is there as a whole",
              capability: "capacity"
            })
      ),
    traffic: {
      shift: (ref, options, mutation) =>
        change("shift", ref, mutation, (work) => Effect.flatMap(releasing, ({ shift }) => shift(work, options))),
      retire: (ref, options, mutation) =>
        change("retire", ref, mutation, (work) => Effect.flatMap(releasing, ({ retire }) => retire(work, options)))
    },
    rollback: (ref, checkpoint, mutation) =>
      change("rollback", ref, mutation, (work) =>
        Effect.flatMap(restoring, ({ rollback }) => rollback(work, checkpoint))
      ),
    destroy: (ref, mutation) =>
      Effect.asVoid(
        change("destroy", ref, mutation, (work) => Effect.flatMap(restoring, ({ destroy }) => destroy(work)))
      ),
    drift: {
      detect: (ref) =>
        look("detect", ref, (work, cloud) =>
          Effect.gen(function* () {
            const seen = yield* cloud.see(work)
            const { detect } = yield* drifting
            return seen === null ? [] : yield* detect(work, seen)
          })
        ),
      correct: (ref, fields, mutation) =>
        change("correct", ref, mutation, (work) => Effect.flatMap(drifting, ({ correct }) => correct(work, fields)))
    },
    canGoBack: (ref, checkpoint) =>
      look("canGoBack", ref, (work) => Effect.flatMap(restoring, ({ wayBack }) => wayBack(work.calls, checkpoint))),
    exclusive: (ref) => {
      const { config = "firebase.json", site, target } = ref.properties as Partial<SiteProperties>
      const [name, path] =
        site !== undefined ? [site, "site"] : target !== undefined ? [target, "target"] : [config, "config"]
      return [{ name: `the Firebase Hosting site of ${name}`, path: [path] }]
    }
  }
}
