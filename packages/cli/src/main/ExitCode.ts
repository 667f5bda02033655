import { errorSpec, type Execution, type ExitClass } from "@signalbox/core/spi"

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

const ofClasses: { readonly [Class in ExitClass]: number } = {
  failed: ExitCode.failed,
  blocked: ExitCode.blocked,
  not_found: ExitCode.notFound,
  unavailable: ExitCode.unavailable,
  usage: ExitCode.usage,
  timeout: ExitCode.timeout,
  interrupted: ExitCode.interrupted
}

/** What a command exits with that fails with this error; the registry of codes says it. */
export const exitCodeOfError = (error: { readonly code: string }): number => ofClasses[errorSpec(error).exit]

/** The exit code for the end (or the current state) of an execution. */
export const exitCodeOf = (
  {
    error,
    questions = [],
    status
  }: Pick<Execution.ExecutionState, "error" | "status"> & Partial<Pick<Execution.ExecutionState, "questions">>,
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
      return error === undefined ? ExitCode.failed : ofClasses[errorSpec(error).ends]
    case "failed":
      return error !== undefined && errorSpec(error).ends === "unavailable" ? ExitCode.unavailable : ExitCode.failed
    case "queued":
    case "in_progress":
    case "rolling_back":
      return questions.length > 0 ? ExitCode.undecided : ExitCode.done
  }
}

const ofSignals = {
  SIGHUP: ExitCode.hungUp,
  SIGINT: ExitCode.interrupted,
  SIGTERM: ExitCode.terminated
} as const

/** Signals that ask the program to stop: a closed terminal, Ctrl-C, another process. */
export type Signal = keyof typeof ofSignals

export const exitCodeOfSignal = (signal: Signal): number => ofSignals[signal]
