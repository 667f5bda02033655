import { layerPlugin, type Plugin, type PluginContext } from "@signalbox/core/plugin"
import { type DeploymentStore, type LeaseStore, StoreError } from "@signalbox/core/spi"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import { commandsHere } from "./command/commandsHere.ts"
import { databaseOf, embeddedStore, postgresStore } from "./Stores.ts"

/**
 * Whether a store's URL needs no plug-in.
 */
export const isBuiltInStore = (url: string): boolean => /^(?:postgres(?:ql)?|sqlite):/i.test(url) || !scheme(url)

const scheme = (url: string): string | undefined => /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()

/**
 * Both stores behind a URL.
 *
 * *Details*: `postgres://…` is a Postgres database, `sqlite:///folder` the embedded store in a folder, and any other scheme
 * a store of one of the `plugins`. `maxConnections` is the limit of this process (default 10).
 *
 * *Errors*: `StoreError`: `Misconfigured` if no plug-in has the scheme; otherwise as the store.
 */
export const openStore = (options: {
  readonly url: Redacted.Redacted
  readonly plugins: ReadonlyArray<Plugin>
  readonly context: PluginContext
  readonly maxConnections?: number
}): Layer.Layer<DeploymentStore | LeaseStore, StoreError> => {
  const url = Redacted.value(options.url)
  const name = scheme(url)
  const store = options.plugins.flatMap(({ stores }) => stores?.[name ?? ""] ?? [])[0]
  if (store !== undefined) {
    return Layer.merge(
      layerPlugin(store, url, options.context),
      commandsHere(() => databaseOf(url))
    )
  }
  if (name === "sqlite") {
    const folder = /^sqlite:\/\/(\/[^?#]+)$/i.exec(url)?.[1]
    return folder === undefined
      ? misconfigured("the address of the database is not of the form sqlite:///folder")
      : embeddedStore({ directory: decodeURIComponent(folder) })
  }
  if (isBuiltInStore(url)) return postgresStore(options)
  return misconfigured(`no plug-in of the configuration has a store for ${name}:`)
}

const misconfigured = (detail: string): Layer.Layer<DeploymentStore | LeaseStore, StoreError> =>
  Layer.unwrap(new StoreError({ operation: "open", reason: "Misconfigured", detail }))
