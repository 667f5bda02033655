import { type PluginContext, providersOf } from "@signalbox/core/plugin"
import type { StoreError } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { join } from "node:path"
import { loadPlugins } from "../config/loadPlugins.ts"
import { openStore } from "../openStore.ts"
import type { ConnectOptions } from "./Connection.ts"
import * as SignalboxNode from "./SignalboxNode.ts"
import { toSignalboxError } from "./toSignalboxError.ts"

/** The services of a connection, with its plug-ins. */
export const layerOf = async (options: ConnectOptions): Promise<Layer.Layer<SignalboxNode.Services, StoreError>> => {
  const from = options.from ?? process.cwd()
  const plugins = await Effect.runPromise(loadPlugins(options.plugins ?? [], from)).catch((error: unknown) => {
    throw toSignalboxError(error)
  })
  const stateDirectory = "url" in options ? join(from, ".signalbox") : options.directory
  const context: PluginContext = { directory: from, stateDirectory }
  const providers = [...(options.providers ?? []), ...providersOf(plugins, context).values()]
  if (!("url" in options)) return SignalboxNode.layerEmbedded({ ...options, providers })
  const url = typeof options.url === "string" ? Redacted.make(options.url) : options.url
  const { maxConnections } = options
  return SignalboxNode.layerWith({
    providers,
    stores: openStore({ url, plugins, context, ...(maxConnections === undefined ? {} : { maxConnections }) })
  })
}
