import * as Path from "node:path"
import * as Effect from "effect/Effect"
import { Configuration, type ConfigurationInvalid } from "@signalbox/core/config"
import type { Manifest, Provider } from "@signalbox/core/spi"
import { ConfigFileInvalid } from "./ConfigFileInvalid.ts"
import { configNames } from "./discover.ts"
import { readConfig } from "./readConfigFile.ts"

/**
 * Reads and checks the configuration of a project.
 *
 * *Details*: `file` comes from `loadSettings`; `cwd` only shortens the name of the file in messages.
 *
 * *Errors*: `ConfigFileInvalid` if there is none or it has no value, `ConfigurationInvalid` with every issue in it.
 */
export const loadManifest = Effect.fnUntraced(function* (options: {
  readonly file: string | undefined
  readonly cwd: string
  readonly providers: ReadonlyMap<string, Provider>
}): Effect.fn.Return<Manifest, ConfigFileInvalid | ConfigurationInvalid> {
  const { cwd, file, providers } = options
  if (file === undefined) {
    return yield* new ConfigFileInvalid({
      code: "config_missing",
      detail: "there is no configuration here",
      hint: `Write ${configNames[0]} (or .mjs, .json, .yaml), or name one with --config.`
    })
  }
  const { value, written } = yield* readConfig(file)
  return yield* Effect.fromResult(
    Configuration.check(value, providers, { file: Path.relative(cwd, file) || file, written })
  )
})
