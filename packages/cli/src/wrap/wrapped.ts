/**
 * A foreign command as the engine runs it: bound to the lease, its output covered and passed on, signals handed to it.
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { Ended, Wrapped } from "@signalbox/core/engine"
import type { CorrelationId, Redaction } from "@signalbox/core/spi"
import { traceEnvironment } from "@signalbox/core/telemetry"
import type { Invocation } from "../Invocation.ts"

export interface CommandLine {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly redactor: Redaction.Redactor
  readonly logFile: string
}

const guard = { command: [process.execPath, process.argv[1]!, "__guard"] }

/** From polite to final; so an operator's abort goes on where the command does not heed it. */
const abortAfter = Duration.seconds(10)
const steps = ["SIGINT", "SIGTERM", "SIGKILL"] as const

/** Each signal that the person sends again is one step harder. */
const harder = (signal: "SIGINT" | "SIGTERM", before: number): NodeJS.Signals =>
  steps[Math.min(steps.length - 1, Math.max(before, signal === "SIGTERM" ? 1 : 0))]!

/**
 * What the engine is handed; `onExit` gets the exit code to pass on. `after` is the execution that was left unfinished
 * before it, if there is one: what its command left behind on this machine is ended first.
 */
export const wrappedBy =
  (
    inv: Invocation,
    line: CommandLine,
    onExit: (code: number) => void,
    after: Effect.Effect<CorrelationId | undefined> = Effect.undefined
  ): Wrapped =>
  (context) =>
    Effect.scoped(
      Effect.gen(function* () {
        const { LeasedCommand } = yield* Effect.promise(() => import("../backend/command.ts"))
        const { host, json } = inv
        const left = yield* after
        if (left !== undefined) yield* LeasedCommand.killLeftBehind(left)
        const signals = yield* Queue.unbounded<NodeJS.Signals>()
        let asked = 0
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            host.takeSignals((signal) => {
              const next = harder(signal, asked)
              asked += 1
              host.stderr.write(
                `\nsignalbox: ${next} passed to the command${next === "SIGKILL" ? "" : "; the lock is kept until it has ended, once more is harder"}\n`
              )
              Queue.offerUnsafe(signals, next)
            })
          ),
          (release) => Effect.sync(release)
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
        const out = { stdout: json ? host.stderr : host.stdout, stderr: host.stderr }
        const id = context.correlationId
        const exit = yield* LeasedCommand.run({
          id,
          command: line.command,
          args: line.args,
          cwd: host.cwd,
          env: {
            ...LeasedCommand.environment({ env: host.env, id, color: host.stdout.isTTY }),
            ...traceEnvironment(id, { env: host.env }),
            SIGNALBOX_CORRELATION_ID: id
          },
          ttl: context.ttl,
          deadlines: context.deadlines,
          signals: Stream.fromQueue(signals),
          redactor: line.redactor,
          onOutput: (stream, bytes) => out[stream].pass(bytes),
          log: {
            path: line.logFile,
            correlationId: id,
            onBroken: (reason) => host.stderr.write(`signalbox: the log cannot be written: ${reason}\n`)
          },
          guard
        })
        onExit(LeasedCommand.exitCode(exit))
        return {
          code: exit.code,
          signal: exit.signal,
          asked: asked > 0,
          ...(exit.killedBecause === undefined || exit.killedBecause === "asked"
            ? {}
            : { reason: killed[exit.killedBecause] })
        } satisfies Ended
      })
    ).pipe(
      Effect.catchTag("CommandNotStarted", (error) =>
        Effect.sync((): Ended => {
          onExit(error.exitCode)
          return { code: error.exitCode, signal: null, asked: false, reason: error.detail, error: error.info }
        })
      )
    )

const killed = {
  lease_lost: "the lease was lost, and nobody may change anything without it",
  guard_gone: "the process that guards it died"
} as const
