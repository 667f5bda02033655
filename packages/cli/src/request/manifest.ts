import * as Effect from "effect/Effect"
import type { ConfigFileInvalid, LoadedConfig, Settings } from "@signalbox/node"
import type { PluginInvalid } from "@signalbox/core/plugin"
import type { EnvironmentName, Manifest } from "@signalbox/core/spi"
import type { Invocation } from "../main/Invocation.ts"

const config = Effect.promise(() => import("../backend/config.ts"))

const known = new WeakMap<Settings, Effect.Effect<LoadedConfig, ConfigFileInvalid | PluginInvalid>>()

/** The project's configuration with its plug-ins, not checked yet. A command reads it once. */
export const configOf = Effect.fnUntraced(function* ({ host, settings }: Invocation) {
  const before = known.get(settings)
  if (before !== undefined) return yield* before
  const { isModule, loadConfig } = yield* config
  if (settings.config !== undefined && isModule(settings.config)) host.shield()
  const loaded = yield* Effect.exit(loadConfig(settings.config))
  known.set(settings, loaded)
  return yield* loaded
})

/** The project's configuration, checked; opens no store. */
export const manifestOf = Effect.fnUntraced(function* (inv: Invocation) {
  const { checkConfig } = yield* config
  const { host, settings } = inv
  const loaded = yield* configOf(inv)
  const providers = yield* host.backend.providers(settings.directory, loaded.plugins)
  return yield* checkConfig(loaded, { cwd: host.cwd, providers })
})

/** A region from a flag or variable overrides the environment's. */
export const inRegion = (manifest: Manifest, environment: EnvironmentName, region: string | undefined): Manifest => {
  const settings = manifest.environments[environment]
  return region === undefined || settings === undefined
    ? manifest
    : { ...manifest, environments: { ...manifest.environments, [environment]: { ...settings, region } } }
}
