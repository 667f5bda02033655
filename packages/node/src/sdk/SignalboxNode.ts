/**
 * Everything that a program on Node needs, composed into one layer.
 */
import { layerNotifications, Signalbox } from "@signalbox/core/engine"
import {
  type DeploymentStore,
  type LeaseStore,
  type MetricSourceKind,
  type NotificationSetup,
  type Provider,
  Providers,
  type StoreError
} from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { commandsHere } from "../command/commandsHere.ts"
import { metricSources } from "../metrics/metricSources.ts"
import * as ProcessLiveness from "../ProcessLiveness.ts"
import { embeddedStore, postgresStore } from "../Stores.ts"

/**
 * The services of the layers: the facade, and the stores and providers behind it.
 */
export type Services = Signalbox | DeploymentStore | LeaseStore | Providers

/**
 * The state in one SQLite file of a folder.
 *
 * *Details*: `directory` is the folder of the file, such as the command's `.signalbox`: both may use it at the same
 * time. `synchronous` `full` survives power loss, `normal` only the end of the process (default `full`).
 */
export interface EmbeddedOptions {
  readonly directory: string
  readonly providers: ReadonlyArray<Provider>
  readonly synchronous?: "full" | "normal"
}

/**
 * The state in a database that many hosts share: Postgres, or the store of a plug-in.
 *
 * *Details*: `url` may contain a password and is never shown; `maxConnections` is the limit of this process (default
 * 10).
 */
export interface PostgresOptions {
  readonly url: string | Redacted.Redacted
  readonly providers: ReadonlyArray<Provider>
  readonly maxConnections?: number
}

/**
 * The facade over your own stores.
 *
 * *Details*: stacks can name the `metricSources` besides `prometheus`. `notifications` are sent in the background, once they
 * are owed; the end of the layer waits for them, 2 seconds at most.
 *
 * *When to use*: with `layerMemory` of `@signalbox/core/store` in tests, or with an adapter of another store.
 */
export const layerWith = <E>(options: {
  readonly stores: Layer.Layer<DeploymentStore | LeaseStore, E>
  readonly providers: ReadonlyArray<Provider>
  readonly metricSources?: ReadonlyMap<string, MetricSourceKind>
  readonly notifications?: Effect.Effect<NotificationSetup | undefined>
}): Layer.Layer<Services, E> =>
  Signalbox.layer.pipe(
    Layer.provideMerge(layerNotifications(options.notifications ?? Effect.undefined)),
    Layer.provideMerge(options.stores),
    Layer.provideMerge(Providers.layer(options.providers)),
    Layer.provideMerge(metricSources(options.metricSources)),
    Layer.provideMerge(ProcessLiveness.layer),
    // Stores with a name provide it themselves.
    Layer.provideMerge(commandsHere(() => "-"))
  )

/**
 * Runs executions in this process, with their state in one file and no server.
 *
 * *Details*: includes the store, the providers, and a name for this process that lets others take over at once when it
 * dies. Nothing is created before the first write.
 *
 * *Example*
 *
 * ```ts
 * const layer = SignalboxNode.layerEmbedded({ directory: ".signalbox", providers: [local] })
 * ```
 */
export const layerEmbedded = (options: EmbeddedOptions): Layer.Layer<Services> =>
  layerWith({
    providers: options.providers,
    stores: embeddedStore({
      directory: options.directory,
      ...(options.synchronous === undefined ? {} : { synchronous: options.synchronous })
    })
  })

/**
 * Runs executions in this process, with their state in a database that other hosts share.
 *
 * *Errors*: `StoreError` if the database cannot be reached when the layer is built.
 */
export const layerPostgres = (options: PostgresOptions): Layer.Layer<Services, StoreError> =>
  layerWith({
    providers: options.providers,
    stores: postgresStore({
      url: typeof options.url === "string" ? Redacted.make(options.url) : options.url,
      ...(options.maxConnections === undefined ? {} : { maxConnections: options.maxConnections })
    })
  })
