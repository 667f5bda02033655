import * as Effect from "effect/Effect"
import type { EnvironmentName, Manifest } from "@signalbox/core/spi"
import { config, configOf } from "./config.ts"
import { usage } from "../main/Failure.ts"
import type { Invocation } from "../main/Invocation.ts"

/** The project's configuration, checked; opens no store. */
export const checkedManifest = Effect.fnUntraced(function* (inv: Invocation) {
  const { checkConfig } = yield* config
  const { host, settings } = inv
  const loaded = yield* configOf(inv)
  const providers = yield* host.backend.providers(settings.directory, loaded.plugins)
  return yield* checkConfig(loaded, { cwd: host.cwd, providers })
})

/** The same, if it names the store that this folder's deployment is in: the history would be split between two. */
export const manifestOf = Effect.fnUntraced(function* (inv: Invocation) {
  const manifest = yield* checkedManifest(inv)
  const { metadataIn } = yield* config
  const metadata = metadataIn(inv.settings.directory)
  if (metadata === undefined || inv.host.env.SIGNALBOX_DATABASE_URL || metadata.store === manifest.store)
    return manifest
  return yield* usage(
    "store_changed",
    `the configuration names ${manifest.store ?? "no store"}, and the deployment of this folder is in ${metadata.store ?? "the folder"}`,
    "Put the store back; or, to begin in the new one, run: signalbox init",
    "store"
  )
})

/** A region from a flag or variable overrides the environment's. */
export const inRegion = (manifest: Manifest, environment: EnvironmentName, region: string | undefined): Manifest => {
  const settings = manifest.environments[environment]
  return region === undefined || settings === undefined
    ? manifest
    : { ...manifest, environments: { ...manifest.environments, [environment]: { ...settings, region } } }
}
