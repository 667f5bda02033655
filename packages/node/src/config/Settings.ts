/**
 * The settings that do not belong to a deployment: where to look for it, the actor, the display. Flags take precedence
 * over environment variables, and these over the user's file.
 */
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { EnvironmentName, Line } from "@signalbox/core/spi"
import { ConfigFileInvalid } from "./ConfigFileInvalid.ts"
import { findConfig, findUserConfig } from "./discover.ts"
import { metadataIn } from "../metadata.ts"
import { readConfigFile } from "./readConfigFile.ts"

/**
 * Settings from a flag, a variable or the user's file.
 *
 * *Details*: `config` is a file and `directory` the folder whose `.signalbox/` holds the state; both absolute.
 * `deploymentId` is what the folder says is its deployment, unchecked.
 */
export interface Settings {
  readonly environment?: string
  readonly config?: string
  readonly directory: string
  readonly deploymentId?: string
  readonly actor?: string
  readonly region?: string
  readonly databaseUrl?: string
  readonly color?: boolean
}

/** Settings from the command line. */
export type Flags = Partial<Settings>

// No region: a project's region takes precedence over a user's preference.
const UserFile = Schema.Struct({
  environment: Schema.optionalKey(EnvironmentName),
  actor: Schema.optionalKey(Line),
  color: Schema.optionalKey(Schema.Boolean)
})
const known = Object.keys(UserFile.fields)
const decodeUserFile = Schema.decodeUnknownResult(UserFile, { onExcessProperty: "error" })

const readUserFile = Effect.fnUntraced(function* (
  env: Readonly<Record<string, string | undefined>>
): Effect.fn.Return<Schema.Schema.Type<typeof UserFile>, ConfigFileInvalid> {
  const file = findUserConfig(env)
  if (file === undefined) return {}
  const decoded = decodeUserFile(yield* readConfigFile(file))
  if (Result.isSuccess(decoded)) return decoded.success
  return yield* new ConfigFileInvalid({
    code: "config_syntax",
    file,
    detail: `expected an object with ${known.join(", ")}`,
    hint: `Write for example { "environment": "staging", "actor": "ada", "color": true }.`
  })
})

const text = (value: string | undefined): string | undefined =>
  value === undefined || value === "" ? undefined : value

/**
 * Assembles the settings and finds the configuration file.
 *
 * *Details*: the variables are `SIGNALBOX_ENVIRONMENT`, `SIGNALBOX_CONFIG`, `SIGNALBOX_DIRECTORY`, `SIGNALBOX_ACTOR`,
 * `SIGNALBOX_REGION` and `SIGNALBOX_DATABASE_URL`, which takes precedence over the store that `init` wrote into the folder.
 * `directory` defaults to the folder of the configuration file, or
 * else to `cwd`.
 *
 * *Errors*: `ConfigFileInvalid` if the user's file is wrong.
 */
export const loadSettings = Effect.fnUntraced(function* (options: {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly flags: Flags
}): Effect.fn.Return<Settings, ConfigFileInvalid> {
  const { cwd, env, flags } = options
  const user = yield* readUserFile(env)
  const from = (path: string | undefined) => (path === undefined ? undefined : Path.resolve(cwd, path))
  const given = from(flags.directory ?? text(env.SIGNALBOX_DIRECTORY))
  const config = from(flags.config ?? text(env.SIGNALBOX_CONFIG)) ?? findConfig(given ?? cwd)
  const directory = given ?? (config === undefined ? Path.resolve(cwd) : Path.dirname(config))
  const metadata = metadataIn(directory) ?? {}
  const environment = flags.environment ?? text(env.SIGNALBOX_ENVIRONMENT) ?? user.environment
  const actor = flags.actor ?? text(env.SIGNALBOX_ACTOR) ?? user.actor
  const region = flags.region ?? text(env.SIGNALBOX_REGION)
  const databaseUrl = flags.databaseUrl ?? text(env.SIGNALBOX_DATABASE_URL) ?? metadata.store
  const color = flags.color ?? user.color
  return {
    directory,
    ...(config === undefined ? {} : { config }),
    ...(metadata.deploymentId === undefined ? {} : { deploymentId: metadata.deploymentId }),
    ...(environment === undefined ? {} : { environment }),
    ...(actor === undefined ? {} : { actor }),
    ...(region === undefined ? {} : { region }),
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
    ...(color === undefined ? {} : { color })
  }
})
