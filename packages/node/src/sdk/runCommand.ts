/** Runs a command as a deployment, for promises. */
import { type Execution, Redaction } from "@signalbox/core/spi"
import { mkdirSync } from "node:fs"
import { constants } from "node:os"
import { dirname, resolve } from "node:path"
import * as WrappedCommand from "../command/WrappedCommand.ts"
import type { CommandHandle, CommandResult, CommandRunOptions } from "./CommandRun.ts"
import { type ExecutionCalls, shown } from "./executions.ts"
import { given, spanOf, textOf } from "./input.ts"
import { ensured, placeOf, warn } from "./place.ts"
import { requestOf, submitted } from "./request.ts"
import type { Session } from "./session.ts"
import { InterruptedError } from "./SignalboxError.ts"
import { interrupted } from "./toSignalboxError.ts"

const resultOf = (state: Execution.ExecutionState): CommandResult => ({
  state: shown(state),
  exitCode:
    state.exit === undefined
      ? null
      : (state.exit.code ?? 128 + (constants.signals[state.exit.signal as NodeJS.Signals] ?? 0))
})

/** A command is not resumed. */
const ended = (error: unknown): never => {
  if (!(error instanceof InterruptedError)) throw error
  throw interrupted(error.cause, {
    message: "interrupted: the command was asked to stop, and has ended; its lease is released",
    hint: "Check the platform, then run it again with a new correlation ID."
  })
}

const prepared = (path: string): string => {
  const file = resolve(path)
  try {
    mkdirSync(dirname(file), { recursive: true })
  } catch (error) {
    warn(`the log cannot be written: ${String(error)}`)
  }
  return file
}

/** For one connection. */
export const commandRuns =
  (session: Session, { carry, command: tell, events, get, leave }: ExecutionCalls) =>
  async (options: CommandRunOptions): Promise<CommandHandle> => {
    const { args = [], guard, onOutput, redact = [], signal, stdin = "ignore" } = options
    const command = textOf("command", options.command)
    const queueTimeout = options.queueTimeout === undefined ? undefined : spanOf("queueTimeout", options.queueTimeout)
    const env = { ...process.env, ...options.env }
    const redactor = Redaction.make({ env, names: redact })
    const place = await placeOf(session, options)
    const line = redactor.redact([command, ...args].join(" ")).slice(0, 2_000)
    const request = { ...(await requestOf(session, "run", place, options)), command: line }
    await session.box(({ coordination }) => coordination.rejectNested(place, process.env, "command"), undefined)
    const stopped = () => signal?.aborted === true
    if (stopped()) throw interrupted(signal?.reason)
    await ensured(session, place, request.by)
    const { execution: recorded, joined } = await submitted(session, request)
    const id = recorded.correlationId
    if (stopped() && !joined) await leave(id)
    const log =
      options.logFile === undefined
        ? undefined
        : {
            path: prepared(options.logFile),
            onBroken: (reason: string) => warn(`the log cannot be written: ${reason}`)
          }
    const wrapped = WrappedCommand.make({
      command,
      args,
      env,
      stdin,
      redactor,
      onOutput: async (stream, bytes) => onOutput?.(stream, bytes),
      ...given("cwd", options.cwd),
      ...given("log", log),
      ...given("guard", guard === undefined ? undefined : { command: guard })
    })
    const done = carry(id, { signal, queueTimeout, command: wrapped, shown: line }).then(resultOf, ended)
    // An unobserved rejection of its end must not end the program.
    done.catch(() => undefined)
    return {
      correlationId: id,
      deploymentId: place.deploymentId,
      joined,
      done,
      state: (call) => get(id, call),
      events: (call) => events(id, call),
      abort: (reason, call) => tell(id, "abort", { ...call, ...given("reason", reason) })
    }
  }
