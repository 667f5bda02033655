import * as Path from "node:path"
import * as Effect from "effect/Effect"
import { Configuration, type ConfigurationInvalid } from "@signalbox/core/config"
import { type Plugin, type PluginInvalid, providersOf } from "@signalbox/core/plugin"
import type { Manifest, Provider } from "@signalbox/core/spi"
import { ConfigFileInvalid } from "./ConfigFileInvalid.ts"
import { configNames } from "./discover.ts"
import { loadPlugins } from "./loadPlugins.ts"
import type { Parsed } from "./Parsed.ts"
import { readConfig } from "./readConfigFile.ts"

/** A configuration that was read, with its plug-ins, and not checked yet. */
export interface LoadedConfig extends Parsed {
  readonly file: string
  readonly plugins: ReadonlyArray<Plugin>
}

/**
 * Reads the configuration of a project and loads its plug-ins.
 *
 * *Details*: `file` comes from `loadSettings`.
 *
 * *Errors*: `ConfigFileInvalid` if there is none or it has no value, `PluginInvalid` if a plug-in cannot be used.
 */
export const loadConfig = Effect.fnUntraced(function* (
  file: string | undefined
): Effect.fn.Return<LoadedConfig, ConfigFileInvalid | PluginInvalid> {
  if (file === undefined) {
    return yield* new ConfigFileInvalid({
      code: "config_missing",
      detail: "there is no configuration here",
      hint: `Write ${configNames[0]} (or .mjs, .json, .yaml), or name one with --config.`
    })
  }
  const read = yield* readConfig(file)
  const { plugins } = (typeof read.value === "object" ? read.value : {}) as { readonly plugins?: unknown }
  return { ...read, file, plugins: yield* loadPlugins(plugins, Path.dirname(file)) }
})

/**
 * Checks a configuration that was read; `cwd` only shortens the name of the file in messages.
 *
 * *Errors*: `ConfigurationInvalid` with every issue in it.
 */
export const checkConfig = (
  { file, value, written }: LoadedConfig,
  { cwd, providers }: { readonly cwd: string; readonly providers: ReadonlyMap<string, Provider> }
): Effect.Effect<Manifest, ConfigurationInvalid> =>
  Effect.suspend(() =>
    Effect.fromResult(Configuration.check(value, providers, { file: Path.relative(cwd, file) || file, written }))
  )

/**
 * Reads and checks the configuration of a project.
 *
 * *Details*: `providers` come besides the ones of its plug-ins.
 *
 * *Errors*: as `loadConfig` and `checkConfig`.
 */
export const loadManifest = Effect.fnUntraced(function* (options: {
  readonly file: string | undefined
  readonly cwd: string
  readonly providers: ReadonlyMap<string, Provider>
}): Effect.fn.Return<Manifest, ConfigFileInvalid | ConfigurationInvalid | PluginInvalid> {
  const loaded = yield* loadConfig(options.file)
  const directory = Path.dirname(loaded.file)
  const own = providersOf(loaded.plugins, { directory, stateDirectory: Path.join(directory, ".signalbox") })
  return yield* checkConfig(loaded, { cwd: options.cwd, providers: new Map([...options.providers, ...own]) })
})
