/**
 * The world outside: everything that a command touches besides the stores, so that tests can hand in another one.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type { Signalbox } from "@signalbox/core/engine"
import type { DeploymentId, DeploymentStore, Provider, ProviderError, Providers, StoreError } from "@signalbox/core/spi"
import type { Held, HeldStack } from "@signalbox/provider-local"
import type { Signal } from "../main/ExitCode.ts"

/** One of the two output streams. Colour is decided for each by itself. */
export interface Sink {
  readonly isTTY: boolean
  readonly columns: () => number
  readonly rows: () => number
  readonly write: (text: string) => void
  /** Writes what another program printed; a promise tells when more can be taken. */
  readonly pass: (bytes: Uint8Array) => void | Promise<void>
  /** Calls back whenever the size changes, until the returned function is called. */
  readonly onResize: (listener: () => void) => () => void
}

/** The services that commands work with: the facade, and for the backend itself the store that it opened. */
export type Services = Signalbox | DeploymentStore

/** Which implementations are chosen; `backend/embedded.ts` is the one that ships. */
export interface Backend {
  /** What configurations are checked against; opens nothing. */
  readonly providers: Effect.Effect<ReadonlyMap<string, Provider>>
  readonly layer: (options: {
    readonly directory: string
    readonly databaseUrl?: string
  }) => Layer.Layer<Services, StoreError>
  /** The providers alone, where the stores cannot be reached. */
  readonly providersIn: (directory: string) => Layer.Layer<Providers>
  /** Writes the state files of a deployment into the folder, which means that deployment from then on. */
  readonly adopt: (directory: string, id: DeploymentId) => Effect.Effect<void, StoreError, DeploymentStore>
  /** What the folder's supervisor has, whatever the registry knows. Starts nothing. */
  readonly held: (directory: string) => Effect.Effect<Held, ProviderError>
  /** Stops stacks of the folder that no registry knows, and forgets the fences of their environments. */
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
  /** Asks a person; undefined where nobody sits there. */
  readonly ask: ((question: string) => Effect.Effect<string>) | undefined
  /** Starts this program again, on its own, with its output in a file; gives its process id. */
  readonly detach: (args: ReadonlyArray<string>, logFile: string) => Effect.Effect<number>
  readonly backend: Backend
  /** Called before code of the project runs in this process: what that prints no longer goes to standard output. */
  readonly shield: () => void
  /** The signal that asked the program to stop, if one did. */
  readonly signal: () => Signal | undefined
  /** Takes the signals that are meant for this program, until the returned function is called: they stop it no more. */
  readonly takeSignals: (listener: (signal: Signal) => void) => () => void
  /** What the program will exit with. */
  readonly exit: { code: number }
}

export class Host extends Context.Service<Host, HostShape>()("@signalbox/cli/host/Host") {}
