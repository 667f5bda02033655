import * as Effect from "effect/Effect"
import type { EnvironmentName, Manifest } from "@signalbox/core/spi"
import type { Invocation } from "../main/Invocation.ts"

/** The project's configuration, checked; opens no store. */
export const manifestOf = Effect.fnUntraced(function* ({ host, settings }: Invocation) {
  const { isModule, loadManifest } = yield* Effect.promise(() => import("../backend/config.ts"))
  if (settings.config !== undefined && isModule(settings.config)) host.shield()
  return yield* loadManifest({ file: settings.config, cwd: host.cwd, providers: yield* host.backend.providers })
})

/** A region from a flag or variable overrides the environment's. */
export const inRegion = (manifest: Manifest, environment: EnvironmentName, region: string | undefined): Manifest => {
  const settings = manifest.environments[environment]
  return region === undefined || settings === undefined
    ? manifest
    : { ...manifest, environments: { ...manifest.environments, [environment]: { ...settings, region } } }
}
