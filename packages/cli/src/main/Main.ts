/**
 * The whole program as one effect that returns its exit code, whatever happens.
 */
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import { commands } from "../commands/index.ts"
import { exitCodeOfSignal } from "./ExitCode.ts"
import { dashes } from "./dashes.ts"
import { failureOfCause, type FailureShape, valueMissing } from "./Failure.ts"
import { presenter } from "./help.ts"
import { paint, wantsColor } from "../host/color.ts"
import { Host, type HostShape } from "../host/Host.ts"
import { wrap } from "../live/text.ts"
import { printable, printableJson } from "../live/words.ts"
import { asksForText, walk } from "./missingValue.ts"
import { pluginCommand, unknownWord } from "./pluginCommand.ts"

const flagsOf = (argv: ReadonlyArray<string>): ReadonlySet<string> => {
  const end = argv.indexOf("--")
  return new Set(end === -1 ? argv : argv.slice(0, end))
}

const report = (
  host: HostShape,
  argv: ReadonlyArray<string>,
  failure: FailureShape,
  cause: Cause.Cause<unknown>
): void => {
  const flags = flagsOf(argv)
  if (flags.has("--json")) {
    host.stderr.write(`${printableJson(JSON.stringify({ error: failure.info }))}\n`)
    return
  }
  const ink = paint(
    wantsColor(host.env, host.stderr, flags.has("--no-color") ? false : flags.has("--color") ? true : undefined)
  )
  const width = host.stderr.isTTY ? host.stderr.columns() - 7 : Number.POSITIVE_INFINITY
  const named = (name: string, text: string) =>
    wrap(text, width).map((line, index) => `${index === 0 ? name : "       "}${line}`)
  const lines = [
    ...named(`${ink("red", "error:")} `, failure.info.message),
    ...(failure.more ?? []).flatMap((line) => named("       ", line)),
    ...(failure.info.hint === undefined ? [] : named(`${ink("cyan", "hint:")}  `, failure.info.hint))
  ]
  if (host.env.SIGNALBOX_DEBUG) lines.push(...Cause.pretty(cause).split("\n"))
  host.stderr.write(`${lines.map(printable).join("\n")}\n`)
}

/** Only the program has a version: a command with `--version` expects a value for it, or does not know it. */
const builtIns = (command: ReadonlyArray<string>) =>
  command.length === 0
    ? [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.LogLevel]
    : [GlobalFlag.Help, GlobalFlag.LogLevel]

const cli = (host: HostShape, argv: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    const { command, missing } = asksForText(argv) ? walk(commands, argv) : { command: [], missing: undefined }
    if (missing !== undefined) return Effect.fail(valueMissing(missing, ["signalbox", ...command]))
    return Command.runWith(commands, { version: host.version })(argv).pipe(
      Effect.provideService(CliConfig.CliConfig, CliConfig.make({ builtIns: builtIns(command) })),
      Effect.catch((error) => {
        const word = unknownWord(error)
        if (word === undefined) return Effect.fail(error)
        return Effect.flatMap(pluginCommand(host, word, argv), (code) => {
          if (code === undefined) return Effect.fail(error)
          host.exit.code = code
          return Effect.void
        })
      })
    )
  })

// Commands read no files and ask nothing through effect/cli; its services are empty ones, which keeps the Node
// implementations out of the start of the program.
const unused = Layer.mergeAll(
  FileSystem.layerNoop({}),
  Path.layer,
  Stdio.layerTest({}),
  Layer.succeed(Terminal.Terminal, {} as Terminal.Terminal),
  Layer.succeed(ChildProcessSpawner.ChildProcessSpawner, {} as ChildProcessSpawner.ChildProcessSpawner["Service"])
)

/** Runs a command line and returns the exit code. Never fails; when interrupted, it cleans up first. */
export const main = (host: HostShape, argv: ReadonlyArray<string>): Effect.Effect<number> => {
  const flags = flagsOf(argv)
  return cli(host, argv).pipe(
    Effect.provideService(Host, host),
    Effect.provideService(CliOutput.Presenter, presenter(host, flags.has("--no-color") ? false : undefined)),
    // Standard output is for results.
    Effect.provideService(Logger.LogToStderr, true),
    Effect.provide(unused),
    Effect.matchCause({
      onFailure: (cause) => {
        const signal = host.signal()
        const failure = failureOfCause(cause)
        if (failure === undefined) return signal === undefined ? 130 : exitCodeOfSignal(signal)
        if (failure.exitCode === 64 && isHelp(cause)) return 0
        report(host, argv, dashes(argv, failure), cause)
        return signal === undefined ? failure.exitCode : exitCodeOfSignal(signal)
      },
      onSuccess: () => host.exit.code
    })
  )
}

/** Bare `signalbox` fails with a request for help that has no error to report. */
const isHelp = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => {
    const error = Cause.isFailReason(reason)
      ? (reason.error as { readonly _tag?: string; readonly errors?: ReadonlyArray<unknown> })
      : undefined
    return error?._tag === "ShowHelp" && error.errors?.length === 0
  })
