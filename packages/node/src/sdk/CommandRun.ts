/**
 * What running a command as a deployment takes and gives.
 */
import type { ExecutionView } from "@signalbox/core/api"
import type { StoredEvent } from "@signalbox/core/spi"
import type { CallOptions, CommandOptions, EventsOptions } from "./CallOptions.ts"
import type { PlaceOptions, QueueOptions } from "./Coordination.ts"

/**
 * A command that is run under the lock of an environment.
 *
 * *Details*:
 * - `command` is a program, found as a shell would find it; there is no shell between: use `sh -c` for what needs one
 * - `env` is laid over the environment of this process, undefined takes a variable out. `SIGNALBOX_CORRELATION_ID`,
 *   `TRACEPARENT` and `BAGGAGE` are added, so that what it does is part of the trace
 * - `redact` names variables whose values are secrets, besides those whose names say so; secrets are covered in the output,
 *   the log and the events
 * - `onOutput` gets what it prints, covered, in its own bytes; a promise makes the command wait. Left out, nobody sees it
 * - `logFile` gets a line of JSON for each line; its folder is made. A log that breaks is a warning of the process
 * - `stdin` is none (`ignore`, the default) or that of this process
 * - `stacks` are those that it changes, `version` what it brings in
 * - `signal` asks the command to stop: SIGINT, after 10 seconds SIGTERM, after 10 more SIGKILL. The lock is kept until it has
 *   ended, then `done` rejects with `InterruptedError`
 * - `guard` is how to start the guard, where this package is part of a bundle: a command that calls `runGuard` of
 *   `@signalbox/node/guard`
 */
export type CommandRunOptions = PlaceOptions &
  QueueOptions & {
    readonly command: string
    readonly args?: ReadonlyArray<string>
    readonly cwd?: string
    readonly env?: Readonly<Record<string, string | undefined>>
    readonly redact?: ReadonlyArray<string>
    readonly onOutput?: (stream: "stdout" | "stderr", bytes: Uint8Array) => void | Promise<void>
    readonly logFile?: string
    readonly stdin?: "inherit" | "ignore"
    readonly stacks?: ReadonlyArray<string>
    readonly version?: string
    readonly correlationId?: string
    readonly by?: string
    readonly reason?: string
    readonly guard?: ReadonlyArray<string>
  }

/**
 * How a command ended. `exitCode` is its own, or 128 and the number of the signal that ended it, as a shell would give; 127 or
 * 126 where it could not be started; null where it was never begun, or nobody saw its end.
 */
export interface CommandResult {
  readonly state: ExecutionView
  readonly exitCode: number | null
}

/**
 * A command that waits for its turn, runs, or has run.
 *
 * *Details*: `done` resolves however the command ended: look at `exitCode`. It rejects with `QueueTimeoutError` where its turn
 * did not come in the time given, and where the outcome is not known here. `abort` asks the command to stop, from any process.
 */
export interface CommandHandle {
  readonly correlationId: string
  readonly deploymentId: string
  readonly joined: boolean
  readonly done: Promise<CommandResult>
  readonly state: (options?: CallOptions) => Promise<ExecutionView>
  readonly events: (options?: EventsOptions) => AsyncIterable<StoredEvent>
  readonly abort: (reason?: string, options?: Omit<CommandOptions, "reason">) => Promise<void>
}
