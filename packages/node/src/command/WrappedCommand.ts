/**
 * A foreign command as the engine runs it: bound to the lease, with masked output and forwarded signals.
 */
import { type CommandOutcome, runsAround, type CommandExecution } from "@signalbox/core/engine"
import { causeInfo } from "@signalbox/core/spi"
import { commandEnvironment } from "@signalbox/core/telemetry"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as LeasedCommand from "./LeasedCommand.ts"

/**
 * What to run, and its listeners.
 *
 * *Details*:
 * - `env` is the environment that the command starts from; its correlation id, trace and mark are added to it
 * - `color` says that its output ends up on a terminal (default: no)
 * - `log` a file that gets a line of JSON for each line
 * - `takeSignals` registers a listener that passes signals on to the command, and returns its removal; each signal is
 *   harder than the one before, except SIGHUP, which is passed on unchanged, once
 * - `onSignal` is called for a signal that was passed on for `takeSignals`
 * - `onExit` gets the exit code that a shell would return, even if the command could not be started
 */
export interface WrappedCommandOptions extends Pick<
  LeasedCommand.LeasedCommandOptions,
  "command" | "args" | "cwd" | "env" | "stdin" | "redactor" | "onOutput" | "guard"
> {
  readonly color?: boolean
  readonly log?: { readonly path: string; readonly onBroken: (reason: string) => void }
  readonly takeSignals?: (listener: (signal: Asking) => void) => () => void
  readonly onSignal?: (signal: NodeJS.Signals) => void
  readonly onExit?: (code: number) => void
}

type Asking = "SIGHUP" | "SIGINT" | "SIGTERM"

/** The enclosing commands, which a nested command must not wait for either. */
const outerRuns = (env: WrappedCommandOptions["env"]) => {
  const outer = runsAround(env)
  return outer.length === 0 ? {} : { SIGNALBOX_OUTER_RUNS: outer.join(" ") }
}

/** From polite to final; an operator's abort escalates in the same way if the command ignores it. */
const abortAfter = Duration.seconds(10)
const steps = ["SIGINT", "SIGTERM", "SIGKILL"] as const

/** Each repeated signal from the person is one step harder. */
const harder = (signal: Exclude<Asking, "SIGHUP">, before: number): NodeJS.Signals =>
  steps[Math.min(steps.length - 1, Math.max(before, signal === "SIGTERM" ? 1 : 0))]!

/**
 * Creates the input of `Signalbox.run` for an execution of kind `run`.
 *
 * *Details*: an abort, or the end of the program, sends SIGINT, after 10 seconds SIGTERM, after 10 more SIGKILL.
 */
export const make =
  (options: WrappedCommandOptions): CommandExecution =>
  (context) =>
    Effect.scoped(
      Effect.gen(function* () {
        const signals = yield* Queue.unbounded<NodeJS.Signals>()
        let asked = 0
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            options.takeSignals?.((signal) => {
              // Kernel and shell may both report a closed terminal. A command that ignores it may continue, as it may
              // without us.
              if (signal === "SIGHUP" && asked > 0) return
              const next = signal === "SIGHUP" ? signal : harder(signal, asked)
              asked += 1
              options.onSignal?.(next)
              Queue.offerUnsafe(signals, next)
            })
          ),
          (release) => Effect.sync(() => release?.())
        )
        yield* context.stopped.pipe(
          Effect.andThen(
            Effect.forEach(steps, (signal) => {
              asked += 1
              return Effect.delay(Queue.offer(signals, signal), signal === "SIGINT" ? Duration.zero : abortAfter)
            })
          ),
          Effect.forkScoped
        )
        const { color = false, env, log, onExit } = options
        const { correlationId, mark: id } = context
        const exit = yield* LeasedCommand.run({
          ...options,
          id,
          env: {
            ...LeasedCommand.environment({ env, id, color }),
            ...(yield* commandEnvironment(correlationId, env)),
            ...outerRuns(env),
            SIGNALBOX_CORRELATION_ID: correlationId
          },
          ttl: context.ttl,
          deadlines: context.deadlines,
          signals: Stream.fromQueue(signals),
          log: log === undefined ? undefined : { ...log, correlationId }
        })
        onExit?.(LeasedCommand.exitCode(exit))
        return {
          code: exit.code,
          signal: exit.signal,
          asked: asked > 0,
          ...(exit.killedBecause === undefined || exit.killedBecause === "asked"
            ? {}
            : { cause: killed[exit.killedBecause], leaseExpired: exit.killedBecause === "lease_lost" })
        } satisfies CommandOutcome
      })
    ).pipe(
      Effect.catchTag("CommandNotStarted", (error) =>
        Effect.sync((): CommandOutcome => {
          options.onExit?.(error.exitCode)
          return { code: error.exitCode, signal: null, asked: false, error: error.info }
        })
      )
    )

const killed = {
  lease_lost: causeInfo("lease_not_renewed", {}),
  guard_gone: causeInfo("guard_gone", {})
} as const
