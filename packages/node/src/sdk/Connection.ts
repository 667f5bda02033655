/**
 * What the Promise facade takes and gives.
 */
import type { Replay } from "@signalbox/core/analysis"
import type { ObservedStack, PlannedStack } from "@signalbox/core/api"
import type { Config } from "@signalbox/core/config"
import type {
  Environment,
  Execution,
  ExecutionStatus,
  OperatorCommand,
  Page,
  StoredEvent,
  StrategyName
} from "@signalbox/core/spi"
import type { CallOptions, CommandOptions, EventsOptions } from "./CallOptions.ts"
import type { CommandHandle, CommandRunOptions } from "./CommandRun.ts"
import type { Coordination, QueueOptions } from "./Coordination.ts"
import type { EmbeddedOptions, PostgresOptions } from "./SignalboxNode.ts"

/**
 * Where the state is, and which providers there are.
 *
 * *Details*: `by` is who asks where a call does not say so (default: the user that the process runs as).
 */
export type ConnectOptions = (EmbeddedOptions | PostgresOptions) & { readonly by?: string }

/**
 * What an operation works on.
 *
 * *Details*: `configuration` is what `defineConfig` gives: a plain object, checked anew each time that another one is
 * handed in.
 */
export interface TargetOptions extends CallOptions {
  readonly configuration: Config
  readonly deploymentId: string
  readonly environment: string
}

/**
 * What every execution is started with.
 *
 * *Details*: `correlationId` is its identity and makes a repeat harmless: a second start with the same one joins it (default:
 * drawn). `signal` interrupts the execution as Ctrl-C would, also long after the call has returned: it is `paused`, and
 * `attach` carries it on. That is not `abort`, which goes back to the checkpoints. In a program that is itself run by
 * `signalbox run` or `runCommand`, an execution of the same deployment and environment is a `BlockedError` (`nested_run`).
 */
export interface StartOptions extends TargetOptions, QueueOptions {
  readonly correlationId?: string
  readonly by?: string
  readonly reason?: string
}

/**
 * What takes back what is there is started with.
 *
 * *Details*: as `StartOptions`. It works on the configuration that each stack was deployed with; `configuration` is for what
 * was never deployed, and may be left out. One that is wrong is a warning of the process.
 */
export type UndoOptions = Omit<StartOptions, "configuration"> & { readonly configuration?: Config | undefined }

/** What a deployment brings in. `artifact` is a path or URL; `strategy` overrides that of every stack. */
export interface ReleaseOptions extends StartOptions {
  readonly version?: string
  readonly artifact?: string
  readonly strategy?: StrategyName
}

/** Which executions, latest first; see `ExecutionQuery`. `limit` is 1–1,000 (default 50). */
export interface HistoryOptions extends CallOptions {
  readonly deploymentId?: string
  readonly environment?: string
  readonly statuses?: ReadonlyArray<ExecutionStatus>
  readonly finished?: boolean
  readonly text?: string
  readonly since?: Date
  readonly until?: Date
  readonly cursor?: string
  readonly limit?: number
}

/**
 * What to replay an execution with, instead of what it had; see `Replay.Change`.
 *
 * *Details*: `gate` holds the keys to change, `strategy` a name or a strategy as a configuration has it.
 */
export interface ReplayOptions extends CallOptions {
  readonly gate?: Replay.GateChange
  readonly strategy?: StrategyName | NonNullable<Config["stacks"][number]["strategy"]>
  readonly stacks?: ReadonlyArray<string>
}

/** A deployment with its state in each environment that was ever touched. */
export interface DeploymentStatusView extends Environment.Deployment {
  readonly inEnvironments: ReadonlyArray<Environment.EnvironmentState>
}

/**
 * An execution that this process carries out, or follows where another one does.
 *
 * *Details*: `joined` tells whether it was there before. `droppedStacks` are deployed and not in the configuration of this
 * deployment any more: they go on running, until `destroyStack` takes them away. `done` resolves with the last state, whatever the outcome: look at
 * its `status`. It rejects only where the outcome is not known here (`InterruptedError`, `LeaseLostError`,
 * `StoreFailedError` …); a rejection that nobody looks at does not end the process. `abort` goes back to the checkpoints and
 * ends it; aborting the signal that it was started with only sets it aside.
 */
export interface ExecutionHandle {
  readonly correlationId: string
  readonly joined: boolean
  readonly droppedStacks: ReadonlyArray<string>
  readonly done: Promise<Execution.ExecutionState>
  readonly state: (options?: CallOptions) => Promise<Execution.ExecutionState>
  /** Its events, from the first and then live, until it has ended. */
  readonly events: (options?: EventsOptions) => AsyncIterable<StoredEvent>
  readonly pause: (options?: CommandOptions) => Promise<void>
  readonly resume: (options?: CommandOptions) => Promise<void>
  readonly approve: (options?: CommandOptions) => Promise<void>
  readonly promote: (options?: CommandOptions) => Promise<void>
  readonly retry: (options?: CommandOptions) => Promise<void>
  readonly abort: (reason?: string, options?: Omit<CommandOptions, "reason">) => Promise<void>
}

/**
 * Signalbox without Effect: promises, `AbortSignal`, async iterables and plain errors.
 *
 * *Errors*: every method rejects with a `SignalboxError` and nothing else. Those that start something reject before anything
 * was written or called: `ConfigurationError`, `InvalidInputError`, `NotFoundError`, `BlockedError` (with all
 * `blockers`), `ConflictError`.
 */
export interface Connection extends Coordination {
  /** Makes a deployment; its id is drawn where none is given. */
  readonly init: (
    options: CallOptions & { readonly configuration: Config; readonly deploymentId?: string; readonly by?: string }
  ) => Promise<Environment.Deployment>
  /** What `deploy` would do. Writes nothing. */
  readonly plan: (options: ReleaseOptions & { readonly stack?: string }) => Promise<ReadonlyArray<PlannedStack>>
  /** Brings in a release of every stack. Returns once it is recorded; `done` of the handle is its end. */
  readonly deploy: (options: ReleaseOptions) => Promise<ExecutionHandle>
  /** Brings in a release of one stack. */
  readonly deployStack: (options: ReleaseOptions & { readonly stack: string }) => Promise<ExecutionHandle>
  /** Puts every stack back to the release before. */
  readonly rollback: (options: UndoOptions) => Promise<ExecutionHandle>
  /** Takes every stack away, dependents first; also those that are not in the configuration any more. */
  readonly destroy: (options: UndoOptions) => Promise<ExecutionHandle>
  /** Takes one stack away. */
  readonly destroyStack: (options: UndoOptions & { readonly stack: string }) => Promise<ExecutionHandle>
  /**
   * Runs any command as a deployment: alone, in the log and in the trace, never longer than its lock. Returns once it is
   * recorded. A `BlockedError` says that its policy is `reject` and somebody is in the way.
   */
  readonly runCommand: (options: CommandRunOptions) => Promise<CommandHandle>
  /** Carries on an execution that was set aside or whose runner died; follows it where one is alive. */
  readonly attach: (correlationId: string, options?: CallOptions) => Promise<ExecutionHandle>
  /** The state of one execution; does not carry it on. */
  readonly execution: (correlationId: string, options?: CallOptions) => Promise<Execution.ExecutionState>
  /** The events of an execution, from the first and then live, until it has ended; does not carry it on. */
  readonly events: (correlationId: string, options?: EventsOptions) => AsyncIterable<StoredEvent>
  /** A deployment and its state in each environment, from the store. */
  readonly status: (deploymentId: string, options?: CallOptions) => Promise<DeploymentStatusView>
  /** One page of the executions there were. */
  readonly history: (options?: HistoryOptions) => Promise<Page<Execution.ExecutionState>>
  /** Hands a command to an execution that runs anywhere. */
  readonly command: (correlationId: string, command: OperatorCommand, options?: CommandOptions) => Promise<void>
  /** Judges a past execution again, by its own measurements: would it have been stopped, when, and why? */
  readonly replay: (correlationId: string, options?: ReplayOptions) => Promise<Replay.Replayed>
  /** Asks the providers what is really there, by the configuration that it was deployed with. */
  readonly observe: (
    options: Omit<TargetOptions, "configuration"> & { readonly configuration?: Config | undefined }
  ) => Promise<ReadonlyArray<ObservedStack>>
  /**
   * Sets every execution of this connection aside as Ctrl-C would, ends its iterators and closes the store. Anything after
   * it rejects.
   */
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}
