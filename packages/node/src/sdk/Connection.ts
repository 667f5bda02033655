/**
 * The options and results of the Promise facade.
 */
import type { Replay } from "@signalbox/core/analysis"
import type {
  DeploymentView,
  EnvironmentView,
  ExecutionView,
  LogLineView,
  ObservedStack,
  PlannedStack,
  RemainingTime,
  ReplayView
} from "@signalbox/core/api"
import type { Config } from "@signalbox/core/config"
import type { PluginEntry } from "@signalbox/core/plugin"
import type { ExecutionStatus, OperatorCommand, Page, Provider, StoredEvent, StrategyName } from "@signalbox/core/spi"
import type { ArtifactOption, CallOptions, CommandOptions, EventsOptions } from "./CallOptions.ts"
import type { CommandHandle, CommandRunOptions } from "./CommandRun.ts"
import type { Coordination, QueueOptions } from "./Coordination.ts"
import type { EmbeddedOptions, PostgresOptions } from "./SignalboxNode.ts"

/**
 * Where the state is, and the available providers.
 *
 * *Details*: the state is in a `directory`, or behind a `url` with the scheme `postgres` or one of a plug-in. Providers come
 * from `providers` and `plugins`; the names of plug-ins and the paths in properties are resolved from `from` (default:
 * the working folder). `by` is the default actor of calls (default: the user that the process runs as). `telemetry`
 * `"host"` sends traces through the OpenTelemetry of this program: its registered `TracerProvider`, with its exporters.
 * Start its SDK before `connect`, and shut it down after `close`. By default, nothing is traced. `notifications` sends
 * what this connection changes to channels, in the background; `close` waits for it, 2 seconds at most.
 */
export type ConnectOptions = (Omit<EmbeddedOptions, "providers"> | Omit<PostgresOptions, "providers">) & {
  readonly providers?: ReadonlyArray<Provider>
  readonly plugins?: ReadonlyArray<PluginEntry>
  readonly from?: string
  readonly by?: string
  readonly telemetry?: "host"
  readonly notifications?: NotificationsOptions
}

/**
 * Channels and routes, as in a configuration; kinds of channels come from `plugins`, besides `console`.
 *
 * *Details*: `deploymentId` is the deployment whose notifications are sent. Behind a `url` it is required, because other
 * projects share the store; in a `directory`, all are sent by default.
 */
export type NotificationsOptions = NonNullable<Config["notifications"]> & { readonly deploymentId?: string }

/**
 * The target of an operation.
 *
 * *Details*: `configuration` is the result of `defineConfig`: a plain object, validated whenever a different one is
 * passed.
 */
export interface TargetOptions extends CallOptions {
  readonly configuration: Config
  readonly deploymentId: string
  readonly environment: string
}

/**
 * The options of every execution.
 *
 * *Details*: `correlationId` is its identity and makes a repeat harmless: a second start with the same one joins it
 * (default: drawn). `signal` interrupts the execution as Ctrl-C would, even long after the call has returned: it is
 * `paused`, and `attach` carries it on. That differs from `abort`, which rolls back to the checkpoints. In a program
 * that itself runs under `signalbox run` or `runCommand`, an execution of the same deployment and environment is a
 * `BlockedError` (`nested_run`).
 */
export interface StartOptions extends TargetOptions, QueueOptions {
  readonly correlationId?: string
  readonly by?: string
  readonly reason?: string
}

/**
 * The options of an operation that undoes or removes.
 *
 * *Details*: like `StartOptions`. It uses the configuration that each stack was deployed with; `configuration` is
 * optional and only for stacks that were never deployed. A wrong one is a warning of the process.
 */
export type UndoOptions = Omit<StartOptions, "configuration"> & { readonly configuration?: Config | undefined }

/**
 * The options of a rollback.
 *
 * *Details*: `to` is the version, or the correlation id of the execution, after which the deployment was as it should be
 * again (default: each stack goes one release back). `executions.list` says which ones are `restorable`.
 */
export type RollbackOptions = UndoOptions & { readonly to?: string }

/**
 * The release of a deployment. `artifact` is a path or URL, for all stacks or by the name of each; `strategy` overrides
 * the strategy of every stack.
 */
export interface ReleaseOptions extends StartOptions {
  readonly version?: string
  readonly artifact?: ArtifactOption
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
 * The changes for a replay; see `Replay.Change`.
 *
 * *Details*: `gate` holds the keys to change, `strategy` a name or a strategy as in a configuration.
 */
export interface ReplayOptions extends CallOptions {
  readonly gate?: Replay.GateChange
  readonly strategy?: StrategyName | NonNullable<Config["stacks"][number]["strategy"]>
  readonly stacks?: ReadonlyArray<string>
}

/**
 * Which lines of logs; see `Logs.LogsOptions`.
 *
 * *Details*: `stack` limits them to one stack, `release` to a version or the ID of a release. The last `lines` of each stack
 * (default 100) come first. The configuration is the one that each stack was deployed with.
 */
export interface LogsOptions extends Omit<TargetOptions, "configuration"> {
  readonly configuration?: Config | undefined
  readonly stack?: string
  readonly release?: string
  readonly lines?: number
  readonly follow?: boolean
}

/** A deployment with its state in each environment that was ever used, the one changed last first. */
export interface DeploymentStatus extends DeploymentView {
  readonly inEnvironments: ReadonlyArray<EnvironmentView>
}

/** Executions: read, followed, commanded, judged again. */
export interface Executions {
  /** One page of executions, the latest first. */
  readonly list: (options?: HistoryOptions) => Promise<Page<ExecutionView>>
  /** The state of one execution; does not carry it on. */
  readonly get: (correlationId: string, options?: CallOptions) => Promise<ExecutionView>
  /** The events of an execution, from the first and then live, until it has ended; does not carry it on. */
  readonly events: (correlationId: string, options?: EventsOptions) => AsyncIterable<StoredEvent>
  /** Carries on an execution that was paused or whose runner died; follows it if a runner is alive. */
  readonly attach: (correlationId: string, options?: CallOptions) => Promise<ExecutionHandle>
  /** Issues a command to an execution, wherever it runs. */
  readonly command: (correlationId: string, command: OperatorCommand, options?: CommandOptions) => Promise<void>
  /** The remaining time, without the time in which it waits for people; null once it has ended. */
  readonly estimate: (correlationId: string, options?: CallOptions) => Promise<RemainingTime | null>
  /** Judges a past execution again, by its own measurements: would it have been stopped, when, and why? */
  readonly replay: (correlationId: string, options?: ReplayOptions) => Promise<ReplayView>
}

/** Deployments: created, read, and compared with what their providers have. */
export interface Deployments {
  /** Creates a deployment; without an id, one is drawn. */
  readonly init: (
    options: CallOptions & { readonly configuration: Config; readonly deploymentId?: string; readonly by?: string }
  ) => Promise<DeploymentView>
  readonly list: (options?: CallOptions) => Promise<ReadonlyArray<DeploymentView>>
  /** A deployment and its state in each environment, from the store. */
  readonly get: (deploymentId: string, options?: CallOptions) => Promise<DeploymentStatus>
  /**
   * The last lines of the logs of its stacks, and with `follow` new ones, until the loop is left or `signal`
   * aborts.
   */
  readonly logs: (options: LogsOptions) => AsyncIterable<LogLineView>
  /** Asks the providers for the actual state, using the configuration that it was deployed with. */
  readonly observe: (
    options: Omit<TargetOptions, "configuration"> & { readonly configuration?: Config | undefined }
  ) => Promise<ReadonlyArray<ObservedStack>>
}

/**
 * An execution that this process runs, or follows if another one does.
 *
 * *Details*: `joined` tells whether it existed before. `droppedStacks` are deployed but no longer in the configuration
 * of this deployment: they keep running, until `destroyStack` removes them. `done` resolves with the last state,
 * whatever the outcome: look at its `status`. It rejects only if the outcome is not known here (`InterruptedError`,
 * `LeaseLostError`, `StoreFailedError` …); an unhandled rejection of it does not end the process. `abort` rolls back to
 * the checkpoints and ends it; aborting its `signal` only pauses it.
 */
export interface ExecutionHandle {
  readonly correlationId: string
  readonly joined: boolean
  readonly droppedStacks: ReadonlyArray<string>
  readonly done: Promise<ExecutionView>
  readonly state: (options?: CallOptions) => Promise<ExecutionView>
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
 * *Errors*: every method rejects with a `SignalboxError` and nothing else. Methods that start something reject before
 * anything was written or called: `ConfigurationError`, `InvalidInputError`, `NotFoundError`, `BlockedError` (with all
 * `blockers`), `ConflictError`.
 */
export interface Connection extends Coordination {
  /** The plan of a `deploy`. Writes nothing. */
  readonly plan: (options: ReleaseOptions & { readonly stack?: string }) => Promise<ReadonlyArray<PlannedStack>>
  /** Deploys a release of every stack. Returns once it is recorded; `done` of the handle is its end. */
  readonly deploy: (options: ReleaseOptions) => Promise<ExecutionHandle>
  /** Deploys a release of one stack. */
  readonly deployStack: (options: ReleaseOptions & { readonly stack: string }) => Promise<ExecutionHandle>
  /** Restores the previous release of every stack. */
  readonly rollback: (options: RollbackOptions) => Promise<ExecutionHandle>
  /** Removes every stack, dependents first; even stacks that are no longer in the configuration. */
  readonly destroy: (options: UndoOptions) => Promise<ExecutionHandle>
  /** Removes one stack. */
  readonly destroyStack: (options: UndoOptions & { readonly stack: string }) => Promise<ExecutionHandle>
  /**
   * Runs any command as a deployment: under the lease, in the log and in the trace. Returns once it is recorded. A
   * `BlockedError` says that its policy is `reject` and another execution is running.
   */
  readonly runCommand: (options: CommandRunOptions) => Promise<CommandHandle>
  readonly executions: Executions
  readonly deployments: Deployments
  /**
   * Pauses every execution of this connection as Ctrl-C would, ends its iterators and closes the store. Later calls
   * reject.
   */
  readonly close: () => Promise<void>
  readonly [Symbol.asyncDispose]: () => Promise<void>
}
