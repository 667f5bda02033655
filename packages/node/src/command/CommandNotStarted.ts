import { type ErrorInfo, errorInfo } from "@signalbox/core/spi"
import { describe } from "@signalbox/core/text"
import * as Data from "effect/Data"

const exitCodes: Readonly<Record<string, number>> = {
  command_missing: 127,
  command_not_executable: 126,
  directory_missing: 126
}

/**
 * A command that was never started, so it has no effects.
 *
 * *Details*: `exitCode` is what a shell would end with. `lease_ended`: the lease had too little time left.
 *
 * *Errors*: `lease_ended` is retryable with a new lease, the others are not.
 */
export class CommandNotStarted extends Data.TaggedError("CommandNotStarted")<{ readonly info: ErrorInfo }> {
  override get message(): string {
    return describe(this.info).message
  }

  get exitCode(): number {
    return exitCodes[this.info.code] ?? 1
  }
}

const infoOf = (code: string, command: string, cwd: string): ErrorInfo => {
  switch (code) {
    case "ENOENT":
      return errorInfo("command_missing", { command })
    case "EACCES":
      return errorInfo("command_not_executable", { command })
    case "ENOTDIR":
      return errorInfo("directory_missing", { directory: cwd })
    case "LEASE":
      return errorInfo("lease_ended", { command })
    default:
      return errorInfo("guard_failed", { command }, { detail: code })
  }
}

/** Why it could not start, by the code of the system error. */
export const notStarted = (code: string, command: string, cwd: string): CommandNotStarted =>
  new CommandNotStarted({ info: infoOf(code, command, cwd) })
