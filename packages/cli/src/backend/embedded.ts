/**
 * The implementations that ship: stores in SQLite or Postgres, processes on this machine. The one place that chooses.
 */
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { Signalbox } from "@signalbox/core/engine"
import { type DeploymentId, type DeploymentStore, Providers } from "@signalbox/core/spi"
import { embeddedStore, postgresStore, ProcessLiveness, StateFiles, telemetryWanted } from "@signalbox/node"
import { LocalProvider } from "@signalbox/provider-local"
import type { Backend } from "../host/Host.ts"
import { idInFolder } from "../target.ts"
import { version } from "../version.ts"

const stateOf = (directory: string): string => Path.join(directory, ".signalbox")

/** This very program, told to keep the processes of a folder. */
const supervisor = { command: [process.execPath, ...process.execArgv, process.argv[1]!, "__supervisor"] }

const local = (directory: string) => LocalProvider.make({ directory: stateOf(directory), cwd: directory, supervisor })

export const providers: Backend["providers"] = Effect.sync(() => new Map([[LocalProvider.kind, local(".")]]))

/** The files of the folder's own deployment lie beside its configuration, those of others in its state. */
const folderIn =
  (directory: string) =>
  (id: DeploymentId): string => {
    const own = idInFolder(directory)
    return own === undefined || own === id ? directory : Path.join(stateOf(directory), "deployments", id)
  }

/** Only for the embedded store: a shared database holds deployments whose folders are elsewhere. */
const stateFiles = (directory: string): Layer.Layer<never, never, DeploymentStore> =>
  StateFiles.layerFollow.pipe(
    Layer.provide(StateFiles.layer({ folder: folderIn(directory) })),
    Layer.catchCause(() => Layer.empty)
  )

const telemetry: Layer.Layer<never> = Layer.unwrap(
  Effect.suspend(() =>
    telemetryWanted(process.env)
      ? Effect.map(
          Effect.promise(() => import("./telemetry.ts")),
          ({ telemetry }) =>
            telemetry({ env: process.env, version, warn: (message) => process.stderr.write(`warning: ${message}\n`) })
        )
      : Effect.succeed(Layer.empty)
  )
)

export const providersIn: Backend["providersIn"] = (directory) => Providers.layer([local(directory)])

export const layer: Backend["layer"] = ({ databaseUrl, directory }) => {
  const stores =
    databaseUrl === undefined
      ? Layer.provideMerge(stateFiles(directory), embeddedStore({ directory: stateOf(directory) }))
      : postgresStore({ url: Redacted.make(databaseUrl) })
  return Signalbox.layer.pipe(
    Layer.provideMerge(stores),
    Layer.provideMerge(providersIn(directory)),
    Layer.provideMerge(ProcessLiveness.layer),
    Layer.provideMerge(telemetry)
  )
}
