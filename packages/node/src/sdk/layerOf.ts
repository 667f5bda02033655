import { conflictIn, metricSourcesOf, type Plugin, type PluginContext, providersOf } from "@signalbox/core/plugin"
import type { StoreError } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { join } from "node:path"
import { loadPlugins } from "../config/loadPlugins.ts"
import { builtInMetricSources } from "../metrics/metricSources.ts"
import { openStore } from "../openStore.ts"
import { embeddedStore } from "../Stores.ts"
import type { ConnectOptions } from "./Connection.ts"
import { notificationsOf } from "./notificationsOf.ts"
import * as SignalboxNode from "./SignalboxNode.ts"
import { toSignalboxError } from "./toSignalboxError.ts"

/** The services of a connection, with its plug-ins. */
export const layerOf = async (options: ConnectOptions): Promise<Layer.Layer<SignalboxNode.Services, StoreError>> => {
  const from = options.from ?? process.cwd()
  const plugins = await Effect.runPromise(loadPlugins(options.plugins ?? [], from)).catch((error: unknown) => {
    throw toSignalboxError(error)
  })
  const conflict = conflictIn(plugins, {
    providers: new Map((options.providers ?? []).map(({ kind }) => [kind, "providers of connect"])),
    metricSources: builtInMetricSources
  })
  if (conflict !== undefined) throw toSignalboxError(conflict)
  const stateDirectory = "url" in options ? join(from, ".signalbox") : options.directory
  const context: PluginContext = { directory: from, stateDirectory }
  const isShared = "url" in options
  const notifications =
    options.notifications === undefined
      ? undefined
      : await Effect.runPromise(notificationsOf(options.notifications, plugins, { context, isShared })).catch(
          (error: unknown) => {
            throw toSignalboxError(error)
          }
        )
  return SignalboxNode.layerWith({
    ...(notifications === undefined ? {} : { notifications: Effect.succeed(notifications) }),
    providers: [...(options.providers ?? []), ...providersOf(plugins, context).values()],
    metricSources: metricSourcesOf(plugins, context),
    stores: storesOf(options, plugins, context)
  })
}

const storesOf = (options: ConnectOptions, plugins: ReadonlyArray<Plugin>, context: PluginContext) => {
  if (!("url" in options)) return embeddedStore(options)
  const url = typeof options.url === "string" ? Redacted.make(options.url) : options.url
  const { maxConnections } = options
  return openStore({ url, plugins, context, ...(maxConnections === undefined ? {} : { maxConnections }) })
}
