import type { ErrorInfo } from "@signalbox/core/spi"
import * as Schema from "effect/Schema"

const exitCodes = {
  command_missing: 127,
  command_not_executable: 126,
  directory_missing: 126,
  lease_lost: 1,
  guard_failed: 1
} as const

/**
 * A command that was never started, so that nothing was done.
 *
 * *Details*: `exitCode` is what a shell would end with. `lease_lost`: the lease had too little time left.
 *
 * *Errors*: `lease_lost` is retryable with a new lease, the others are not.
 */
export class CommandNotStarted extends Schema.TaggedError<CommandNotStarted>()("CommandNotStarted", {
  code: Schema.Literals([
    "command_missing",
    "command_not_executable",
    "directory_missing",
    "lease_lost",
    "guard_failed"
  ]),
  detail: Schema.String,
  hint: Schema.String
}) {
  override get message(): string {
    return this.detail
  }

  get exitCode(): number {
    return exitCodes[this.code]
  }

  /** How every surface shows it. */
  get info(): ErrorInfo {
    return { code: this.code, message: this.message, hint: this.hint }
  }
}

/** What kept it from starting, by the code of the system's error. */
export const notStarted = (code: string, command: string, cwd: string): CommandNotStarted => {
  switch (code) {
    case "ENOENT":
      return new CommandNotStarted({
        code: "command_missing",
        detail: `${command} was not found`,
        hint: command.includes("/")
          ? "Check the path; it is relative to the working directory."
          : `Check the spelling and the PATH; a command of a project may need "npx ${command}". Builtins of a shell need "sh -c".`
      })
    case "EACCES":
      return new CommandNotStarted({
        code: "command_not_executable",
        detail: `${command} may not be executed`,
        hint: `Make it executable with: chmod +x ${command}`
      })
    case "ENOTDIR":
      return new CommandNotStarted({
        code: "directory_missing",
        detail: `${cwd} is no folder that the command could run in`,
        hint: "Name a folder that is there."
      })
    case "LEASE":
      return new CommandNotStarted({
        code: "lease_lost",
        detail: `${command} was not started, because the lease ended before`,
        hint: "Try again; a longer lease helps where the machine is slow."
      })
    default:
      return new CommandNotStarted({
        code: "guard_failed",
        detail: `${command} could not be started: ${code}`,
        hint: "Nothing was run. Check that this machine has memory, processes and file descriptors left."
      })
  }
}
