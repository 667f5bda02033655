/**
 * The configuration file of a project, read once by a command.
 */
import * as Effect from "effect/Effect"
import type { PluginInvalid } from "@signalbox/core/plugin"
import type { ConfigFileInvalid, LoadedConfig, Settings } from "@signalbox/node"
import type { HostShape } from "../host/Host.ts"

interface Project {
  readonly host: HostShape
  readonly settings: Settings
}

/** The modules that read it. */
export const config = Effect.promise(() => import("../backend/config.ts"))

const known = new WeakMap<Settings, Effect.Effect<LoadedConfig, ConfigFileInvalid | PluginInvalid>>()

/** The project's configuration with its plug-ins, not checked yet. A command reads it once. */
export const configOf = Effect.fnUntraced(function* ({
  host,
  settings
}: Project): Effect.fn.Return<LoadedConfig, ConfigFileInvalid | PluginInvalid> {
  const before = known.get(settings)
  if (before !== undefined) return yield* before
  const { isModule, loadConfig } = yield* config
  if (settings.config !== undefined && isModule(settings.config)) host.shield()
  const loaded = yield* Effect.exit(loadConfig(settings.config))
  known.set(settings, loaded)
  return yield* loaded
})

/** The store that the configuration of a project names, as long as its folder has no metadata. */
export const configuredStore = (project: Project): Effect.Effect<string | undefined> =>
  Effect.gen(function* () {
    const { metadataIn } = yield* config
    if (project.settings.config === undefined || metadataIn(project.settings.directory) !== undefined) return undefined
    const { value } = yield* configOf(project)
    const { store } = (typeof value === "object" ? value : {}) as { readonly store?: unknown }
    return typeof store === "string" ? store : undefined
  }).pipe(Effect.orElseSucceed(() => undefined))
