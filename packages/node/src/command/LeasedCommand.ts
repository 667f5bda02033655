/**
 * Runs any command for as long as a lease is held and no longer.
 */
import type { Redaction } from "@signalbox/core/spi"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { constants } from "node:os"
import { resolve } from "node:path"
import { CommandLog, type CommandLogOptions } from "./CommandLog.ts"
import { CommandNotStarted, notStarted } from "./CommandNotStarted.ts"
import { type Exit, Guarded } from "./Guarded.ts"
import { marker } from "./guardProtocol.ts"
import { killMarked } from "./killing.ts"
import { Output } from "./Output.ts"

export { CommandNotStarted, type Exit }

/**
 * What to run, and until when.
 *
 * *Details*:
 * - `id` marks the processes of the command: `SIGNALBOX_RUN=<id>` in their environment
 * - `env` is the command's whole environment, see `environment`
 * - `ttl` of the lease; the command is asked to end (SIGTERM) a sixth of it before the lease ends, at most 2 seconds,
 *   and killed half way from there
 * - `deadlines` in ms of the wall clock: until when the lease is certainly held, now and after each renewal. The first
 *   one starts the command. A deadline in the past says that the lease was lost
 * - `signals` are passed to the command's process group as they come
 * - `onOutput` gets the command's output, redacted, as bytes; a promise makes the command wait
 * - `log` a file that gets a line of JSON for each line
 * - `guard` how to start the guard, if this package is part of a bundle
 */
export interface LeasedCommandOptions {
  readonly id: string
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly cwd?: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly stdin?: "inherit" | "ignore"
  readonly ttl: Duration.Duration
  readonly deadlines: Stream.Stream<number>
  readonly signals?: Stream.Stream<NodeJS.Signals>
  readonly redactor: Redaction.Redactor
  readonly onOutput: (stream: "stdout" | "stderr", bytes: Uint8Array) => void | Promise<void>
  readonly log?: CommandLogOptions | undefined
  readonly guard?: { readonly command: ReadonlyArray<string> }
}

const defined = (env: LeasedCommandOptions["env"]): Record<string, string> =>
  Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined))

/**
 * Runs a command and returns how it ended, after all its output was passed on.
 *
 * *When to use*: for a command that changes what a lease protects, such as an existing deploy tool.
 *
 * *Details*: a guard, a separate process, kills the command's process group before the lease ends, unless it learns of
 * a renewal. That holds even if this process is stopped, or the store is unavailable. If this process is gone, the
 * guard kills at once. Processes that the command leaves running in its group when it ends are stopped too. On Linux, a
 * kill also finds processes that left the group. When interrupted, it sends SIGINT, unless a signal was passed before,
 * and waits for the command to end, bounded by the lease. Keep renewing the lease meanwhile to let the command clean
 * up.
 *
 * *Errors*: `CommandNotStarted`.
 *
 * *Gotchas*: the command has no controlling terminal: it can read the terminal, but not open `/dev/tty`. Up to 300 ms
 * pass between the death of this process and the death of the command: let the lease expire before you take it. If this
 * process and the guard are killed at the same moment, nothing kills the command: see `killLeftBehind`.
 */
export const run = (options: LeasedCommandOptions): Effect.Effect<Exit, CommandNotStarted> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.scoped(
      Effect.gen(function* () {
        const cwd = resolve(options.cwd ?? ".")
        const guarded = yield* Effect.try({
          try: () =>
            new Guarded({
              id: options.id,
              command: options.command,
              args: options.args,
              cwd,
              env: { ...defined(options.env), [marker]: options.id },
              stdin: options.stdin ?? "inherit",
              ttl: Duration.toMillis(options.ttl),
              guard: options.guard?.command
            }),
          catch: (error) => notStarted((error as NodeJS.ErrnoException).code ?? String(error), options.command, cwd)
        })
        yield* Effect.forkScoped(Stream.runForEach(options.deadlines, (at) => Effect.sync(() => guarded.renew(at))))
        yield* Effect.forkScoped(
          Stream.runForEach(options.signals ?? Stream.empty, (signal) => Effect.sync(() => guarded.signal(signal)))
        )
        const finished = finish(guarded, options)
        const exit = Effect.tryPromise({ try: () => finished, catch: (error) => error as CommandNotStarted })
        return yield* Effect.onInterrupt(restore(exit), () =>
          Effect.suspend(() => {
            if (!guarded.asked) guarded.signal("SIGINT")
            return Effect.ignore(exit)
          })
        )
      })
    )
  )

/** The end of the command, of its output and of the log. */
const finish = async (guarded: Guarded, options: LeasedCommandOptions): Promise<Exit> => {
  const log = options.log === undefined ? undefined : new CommandLog(options.log)
  const outputs = (["stdout", "stderr"] as const).map(
    (stream) =>
      new Output(guarded[stream], options.redactor, async (bytes) => {
        await Promise.all([log?.write(stream, bytes), options.onOutput(stream, bytes)])
      })
  )
  try {
    return await guarded.ended
  } finally {
    await Promise.all(outputs.map((output) => output.finish()))
    await log?.close()
  }
}

/**
 * The exit code that a shell would return: the command's own, or 128 plus the number of the signal that ended it.
 */
export const exitCode = (exit: Exit): number =>
  exit.code ?? 128 + (exit.signal === null ? 0 : constants.signals[exit.signal])

/**
 * The environment of a command: the given one, the mark, its trace, and `FORCE_COLOR` if its output ends up on a
 * terminal through a pipe.
 */
export const environment = (options: {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly id: string
  readonly traceparent?: string
  readonly color: boolean
}): Record<string, string> => {
  const { color, env, id, traceparent } = options
  return {
    ...(color && !env["NO_COLOR"] && env["TERM"] !== "dumb" ? { FORCE_COLOR: "1" } : {}),
    ...defined(env),
    ...(traceparent === undefined ? {} : { TRACEPARENT: traceparent }),
    [marker]: id
  }
}

/**
 * Kills every process that a command left on this machine after its holder and its guard are gone; returns how many.
 *
 * *When to use*: after taking over the lease of an earlier run. `Signalbox.run` does it automatically.
 *
 * *Details*: of the command with this `id`, and of every `id` that continues it with a `/`.
 *
 * *Gotchas*: Linux only; elsewhere none is found.
 */
export const killLeftBehind = (id: string): Effect.Effect<number> =>
  Effect.sync(() => killMarked((mark) => mark === id || mark.startsWith(`${id}/`)))
