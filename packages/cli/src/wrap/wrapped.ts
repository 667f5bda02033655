/**
 * A foreign command as the engine runs it, with the output and signals of this process.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type { CommandExecution } from "@signalbox/core/engine"
import type { Redaction } from "@signalbox/core/spi"
import type { Invocation } from "../main/Invocation.ts"
import { stateFolderOf } from "../request/stateFolder.ts"

export interface CommandLine {
  readonly command: string
  readonly args: ReadonlyArray<string>
  readonly redactor: Redaction.Redactor
  readonly logFile: string
}

const guard = { command: [process.execPath, process.argv[1]!, "__guard"] }

const more = {
  SIGHUP: "; the lease is kept until it has ended",
  SIGINT: "; the lease is kept until it has ended, once more is harder",
  SIGTERM: "; the lease is kept until it has ended, once more is harder"
}

/** The engine's input; `onExit` gets the exit code to pass on. */
export const wrappedBy =
  (inv: Invocation, line: CommandLine, onExit: (code: number) => void): CommandExecution =>
  (context) =>
    Effect.gen(function* () {
      const { host, json } = inv
      const { WrappedCommand } = yield* Effect.promise(() => import("../backend/command.ts"))
      // If it cannot be created, the log says so.
      yield* stateFolderOf(inv, line.logFile)
      yield* Effect.ignore(Effect.try(() => Fs.mkdirSync(Path.dirname(line.logFile), { recursive: true })))
      const out = { stdout: json ? host.stderr : host.stdout, stderr: host.stderr }
      const command = WrappedCommand.make({
        command: line.command,
        args: line.args,
        cwd: host.cwd,
        env: host.env,
        color: host.stdout.isTTY,
        redactor: line.redactor,
        onOutput: (stream, bytes) => out[stream].pass(bytes),
        log: {
          path: line.logFile,
          onBroken: (reason) => host.stderr.write(`signalbox: the log cannot be written: ${reason}\n`)
        },
        takeSignals: host.takeSignals,
        onSignal: (signal) =>
          host.stderr.write(`\nsignalbox: ${signal} passed to the command${more[signal as keyof typeof more] ?? ""}\n`),
        guard,
        onExit
      })
      return yield* command(context)
    })
