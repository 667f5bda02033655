/**
 * The options and result of running a command as a deployment.
 */
import type { ExecutionView } from "@signalbox/core/api"
import type { StoredEvent } from "@signalbox/core/spi"
import type { CallOptions, CommandOptions, EventsOptions } from "./CallOptions.ts"
import type { PlaceOptions, QueueOptions } from "./Coordination.ts"

/**
 * A command that runs under the lease of an environment.
 *
 * *Details*:
 * - `command` is a program, found as a shell would find it, but without a shell: use `sh -c` if you need one
 * - `env` is merged into the environment of this process, undefined removes a variable. `SIGNALBOX_CORRELATION_ID`,
 *   `TRACEPARENT` and `BAGGAGE` are added, so that its work is part of the trace
 * - `redact` names variables whose values are secret, besides those with secret names; secrets are masked in the
 *   output, the log and the events
 * - `onOutput` gets its output, masked, as bytes; a promise makes the command wait. By default the output is discarded
 * - `logFile` gets a line of JSON for each line; its folder is created. A failing log is a warning of the process
 * - `stdin` is none (`ignore`, the default) or this process's
 * - `stacks` are the stacks that it changes, `version` the version that it brings in
 * - `signal` asks the command to stop: SIGINT, after 10 seconds SIGTERM, after 10 more SIGKILL. The lease is kept until
 *   it has ended, then `done` rejects with `InterruptedError`
 * - `guard` is how to start the guard, if this package is part of a bundle: a command that calls `runGuard` of
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
 * How a command ended. `exitCode` is its own, or 128 plus the number of the signal that ended it, as a shell would
 * return; 127 or 126 if it could not be started; null if it never began, or its end was not observed.
 */
export interface CommandResult {
  readonly state: ExecutionView
  readonly exitCode: number | null
}

/**
 * A command that waits for admission, runs, or has run.
 *
 * *Details*: `done` resolves however the command ended: look at `exitCode`. It rejects with `QueueTimeoutError` if it
 * was not admitted in the given time, and if the outcome is not known here. `abort` asks the command to stop, from any
 * process.
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
