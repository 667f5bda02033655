/**
 * The outside world: everything that a command touches besides the stores, so that tests can replace it.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Signalbox } from "@signalbox/core/engine"
import type { Plugin, PluginInvalid } from "@signalbox/core/plugin"
import type {
  DeploymentId,
  DeploymentStore,
  NotificationSetup,
  NotifierKind,
  Provider,
  ProviderError,
  StoreError
} from "@signalbox/core/spi"
import type { Held, HeldStack } from "@signalbox/provider-local"
import type { Signal } from "../main/ExitCode.ts"

/** One of the two output streams. Colour is decided for each separately. */
export interface Sink {
  readonly isTTY: boolean
  readonly columns: () => number
  readonly rows: () => number
  readonly write: (text: string) => void
  /** Writes another program's output; the promise resolves when more can be written. */
  readonly pass: (bytes: Uint8Array) => void | Promise<void>
  /** Calls back whenever the size changes, until the returned function is called. */
  readonly onResize: (listener: () => void) => () => void
}

/** The services of commands: the facade, and for the backend itself the store that it opened. */
export type Services = Signalbox | DeploymentStore

/** The chosen implementations; `backend/embedded.ts` is the shipped one. */
export interface Backend {
  /** The providers of a folder, built in or from plug-ins; opens and loads nothing. */
  readonly providers: (
    directory: string,
    plugins: ReadonlyArray<Plugin>
  ) => Effect.Effect<ReadonlyMap<string, Provider>, PluginInvalid>
  /** The kinds of channels, built in or from plug-ins; opens nothing. */
  readonly notifiers: (
    directory: string,
    plugins: ReadonlyArray<Plugin>
  ) => Effect.Effect<ReadonlyMap<string, NotifierKind>>
  readonly layer: (options: {
    readonly directory: string
    readonly databaseUrl?: string
    readonly providers: ReadonlyMap<string, Provider>
    /** The plug-ins with metric sources, and the one that may have the store of the URL. */
    readonly plugins?: ReadonlyArray<Plugin>
    /** The configured notifications, read when something is to be sent. */
    readonly notifications?: Effect.Effect<NotificationSetup | undefined>
  }) => Layer.Layer<Services, StoreError>
  /** Writes the state files of a deployment into the folder, which refers to that deployment, and the configured store, from then on. */
  readonly adopt: (
    directory: string,
    id: DeploymentId,
    store?: string
  ) => Effect.Effect<void, StoreError, DeploymentStore>
  /** The stacks of the folder's supervisor, whatever the store knows. Starts nothing. */
  readonly held: (directory: string) => Effect.Effect<Held, ProviderError>
  /** Stops stacks of the folder that no store knows, and forgets the fences of their environments. */
  readonly abandon: (
    directory: string,
    what: { readonly stacks: ReadonlyArray<HeldStack>; readonly environments: Held["fences"] }
  ) => Effect.Effect<void, ProviderError>
  /** Runs the supervisor of local processes until it is told to stop. */
  readonly supervise: (directory: string) => Effect.Effect<void, StoreError>
}

export interface HostShape {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly version: string
  readonly stdout: Sink
  readonly stderr: Sink
  /** Asks a person; undefined without a terminal. */
  readonly ask: ((question: string) => Effect.Effect<string>) | undefined
  /** Starts this program again, detached, with its output in a file; returns its process ID. */
  readonly detach: (args: ReadonlyArray<string>, logFile: string) => Effect.Effect<number>
  readonly backend: Backend
  /** Called before the project's code runs in this process: from then on its output does not go to standard output. */
  readonly shield: () => void
  /** The signal that asked the program to stop, if any. */
  readonly signal: () => Signal | undefined
  /** Intercepts the signals of this program, until the returned function is called: they no longer stop it. */
  readonly takeSignals: (listener: (signal: Signal) => void) => () => void
  /** The exit code of the program. */
  readonly exit: { code: number }
}

export class Host extends Context.Service<Host, HostShape>()("@signalbox/cli/host/Host") {}
