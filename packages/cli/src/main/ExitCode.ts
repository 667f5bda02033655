import type { Execution } from "@signalbox/core/spi"

/** The exit codes; they are API. */
export const ExitCode = {
  done: 0,
  failed: 1,
  blocked: 2,
  rolledBack: 3,
  notFound: 4,
  unhealthy: 5,
  unavailable: 6,
  undecided: 7,
  usage: 64,
  timeout: 124,
  hungUp: 129,
  interrupted: 130,
  terminated: 143
} as const

/** Ends of what never came to its turn, for others were in the way. */
const blocking: ReadonlySet<string> = new Set(["overtaken", "veto", "stale_order", "superseded", "forgotten"])

/** What the end (or the present state) of an execution exits with. */
export const exitCodeOf = (
  { error, status }: Pick<Execution.ExecutionState, "error" | "status">,
  signal: Signal | undefined
): number => {
  if (signal !== undefined && status !== "completed" && status !== "rolled_back") return exitCodeOfSignal(signal)
  switch (status) {
    case "completed":
      return ExitCode.done
    case "rolled_back":
      return ExitCode.rolledBack
    case "paused":
      return ExitCode.undecided
    case "cancelled":
      if (error?.code === "queue_timeout") return ExitCode.timeout
      return blocking.has(error?.code ?? "") ? ExitCode.blocked : ExitCode.failed
    case "failed":
      return error?.code === "lease_expired" ? ExitCode.unavailable : ExitCode.failed
    case "queued":
    case "in_progress":
    case "rolling_back":
      return ExitCode.done
  }
}

const ofSignals = {
  SIGHUP: ExitCode.hungUp,
  SIGINT: ExitCode.interrupted,
  SIGTERM: ExitCode.terminated
} as const

/** What asks the program to stop: a terminal that is closed, Ctrl-C, another process. */
export type Signal = keyof typeof ofSignals

export const exitCodeOfSignal = (signal: Signal): number => ofSignals[signal]
