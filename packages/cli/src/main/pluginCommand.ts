/**
 * Subcommands of plug-ins: `signalbox <word> …`, where this program has no such command.
 */
import * as Effect from "effect/Effect"
import type { Plugin, PluginInvalid } from "@signalbox/core/plugin"
import type { ConfigFileInvalid } from "@signalbox/node"
import type { HostShape } from "../host/Host.ts"
import { config, configOf } from "../request/config.ts"

/** The word that is no command of this program, if that is what is wrong. */
export const unknownWord = (error: unknown): string | undefined => {
  const { _tag, errors } = error as {
    readonly _tag?: string
    readonly errors?: ReadonlyArray<{ readonly _tag: string; readonly subcommand?: string; readonly parent?: unknown }>
  }
  if (_tag !== "ShowHelp") return undefined
  return errors?.find((one) => one._tag === "UnknownSubcommand")?.subcommand
}

const commandIn = (plugins: ReadonlyArray<Plugin>, word: string) =>
  plugins.flatMap(({ commands }) => (Object.hasOwn(commands ?? {}, word) ? [commands![word]!] : []))[0]

/**
 * Runs it with everything after the word; undefined if no plug-in of the project has it.
 *
 * *Details*: the project is the one of the working folder, `SIGNALBOX_CONFIG` or `SIGNALBOX_DIRECTORY`.
 */
export const pluginCommand = Effect.fnUntraced(function* (
  host: HostShape,
  word: string,
  argv: ReadonlyArray<string>
): Effect.fn.Return<number | undefined, ConfigFileInvalid | PluginInvalid> {
  if (argv[0] !== word) return undefined
  const { loadSettings } = yield* config
  const settings = yield* loadSettings({ cwd: host.cwd, env: host.env, flags: {} })
  if (settings.config === undefined) return undefined
  const command = commandIn((yield* configOf({ host, settings })).plugins, word)
  if (command === undefined) return undefined
  return yield* Effect.tryPromise({
    try: (signal) =>
      command.run({
        args: argv.slice(1),
        directory: settings.directory,
        env: host.env,
        signal,
        stdout: (text) => host.stdout.write(text),
        stderr: (text) => host.stderr.write(text)
      }),
    catch: (cause) => cause
  }).pipe(Effect.orDie)
})
