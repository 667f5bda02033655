/**
 * The shipped implementations: stores in SQLite or Postgres, processes on this machine. The only place that chooses
 * them.
 */
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { consoleNotifier, layerNotifications, Signalbox } from "@signalbox/core/engine"
import {
  conflictIn,
  metricSourcesOf,
  notifiersOf,
  type Plugin,
  type PluginContext,
  providersOf
} from "@signalbox/core/plugin"
import { type DeploymentId, type DeploymentStore, Providers } from "@signalbox/core/spi"
import {
  builtInMetricSources,
  embeddedStore,
  metadataIn,
  metricSources,
  openStore,
  ProcessLiveness,
  StateFiles,
  telemetryWanted
} from "@signalbox/node"
import { local, LocalProvider } from "@signalbox/provider-local"
import type { Backend } from "../host/Host.ts"
import { Redraw } from "../live/Redraw.ts"
import { version } from "../main/version.ts"

const stateOf = (directory: string): string => Path.join(directory, ".signalbox")

/** This program, to be run again. */
const program = [process.execPath, ...process.execArgv, process.argv[1]!]
const supervisor = { command: [...program, "__supervisor"] }

const contextIn = (directory: string): PluginContext => ({ directory, stateDirectory: stateOf(directory), program })

/** The plug-in that is part of this program: another copy of it is not used. */
const builtIn = local()

export const providers: Backend["providers"] = (directory, plugins) => {
  const all = [builtIn, ...plugins.filter(({ name }) => name !== builtIn.name)]
  const conflict = conflictIn(all, { metricSources: builtInMetricSources })
  return conflict === undefined ? Effect.succeed(providersOf(all, contextIn(directory))) : Effect.fail(conflict)
}

/** Notices go where messages go, above what is being redrawn: standard output is for results. */
const terminal = consoleNotifier((text) =>
  Redraw.active === undefined ? void process.stderr.write(text) : Redraw.active.above(text.trimEnd())
)

export const notifiers: Backend["notifiers"] = (directory, plugins) =>
  Effect.sync(
    () => new Map([["console", terminal], ...notifiersOf(plugins, contextIn(directory), (name) => process.env[name])])
  )

export const held: Backend["held"] = (directory) => LocalProvider.held(stateOf(directory))

export const abandon: Backend["abandon"] = (directory, what) =>
  LocalProvider.abandon({ directory: stateOf(directory), supervisor }, what)

const idIn = (directory: string): string | undefined => metadataIn(directory)?.deploymentId

/** The files of the folder's own deployment are beside its configuration, others' in its state. */
const folderIn =
  (directory: string) =>
  (id: DeploymentId): string => {
    const own = idIn(directory)
    return own === undefined || own === id ? directory : Path.join(stateOf(directory), "deployments", id)
  }

/** A shared database holds deployments whose folders are elsewhere. */
const ownFolderIn =
  (directory: string) =>
  (id: DeploymentId): string | undefined =>
    idIn(directory) === id ? directory : undefined

const stateFiles = (folder: (id: DeploymentId) => string | undefined): Layer.Layer<never, never, DeploymentStore> =>
  StateFiles.layerFollow.pipe(
    Layer.provide(StateFiles.layer({ folder })),
    Layer.catchCause(() => Layer.empty)
  )

/** Follows nothing if the folder has no deployment: the database may be far away, and each query costs. */
const sharedStore = (directory: string, url: string, plugins: ReadonlyArray<Plugin>) => {
  const store = openStore({ url: Redacted.make(url), plugins, context: contextIn(directory) })
  return idIn(directory) === undefined ? store : Layer.provideMerge(stateFiles(ownFolderIn(directory)), store)
}

export const adopt: Backend["adopt"] = (directory, id, store) =>
  Effect.flatMap(StateFiles, (files) => files.write(id)).pipe(
    Effect.provide(StateFiles.layer({ folder: () => directory, ...(store === undefined ? {} : { store }) })),
    Effect.catchTag("StateFileError", ({ message }) => Effect.sync(() => warn(message)))
  )

const warn = (message: string) => void process.stderr.write(`warning: ${message}\n`)

const telemetry: Layer.Layer<never> = Layer.unwrap(
  Effect.suspend(() =>
    telemetryWanted(process.env)
      ? Effect.map(
          Effect.promise(() => import("./telemetry.ts")),
          ({ telemetry }) => telemetry({ env: process.env, version, warn })
        )
      : Effect.succeed(Layer.empty)
  )
)

export const layer: Backend["layer"] = ({ databaseUrl, directory, notifications, plugins = [], providers }) => {
  const stores =
    databaseUrl === undefined
      ? Layer.provideMerge(stateFiles(folderIn(directory)), embeddedStore({ directory: stateOf(directory) }))
      : sharedStore(directory, databaseUrl, plugins)
  return Signalbox.layer.pipe(
    Layer.provideMerge(layerNotifications(notifications ?? Effect.undefined, { isLocal: databaseUrl === undefined })),
    Layer.provideMerge(stores),
    Layer.provideMerge(Layer.succeed(Providers, providers)),
    Layer.provideMerge(metricSources(metricSourcesOf(plugins, contextIn(directory)))),
    Layer.provideMerge(ProcessLiveness.layer),
    Layer.provideMerge(telemetry)
  )
}
