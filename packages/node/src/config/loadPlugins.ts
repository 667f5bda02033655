/**
 * Loads the plug-ins of a configuration, from the folder that it is in.
 */
import * as Path from "node:path"
import { registerHooks } from "node:module"
import { pathToFileURL } from "node:url"
import * as Effect from "effect/Effect"
import { checkPlugin, conflictIn, isPlugin, type Plugin, PluginInvalid } from "@signalbox/core/plugin"

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

declare const SIGNALBOX_VERSION: string | undefined

/** A bundled program shares no module with its plug-ins, so it prefers plug-ins that are bundles too: they start faster. */
const preferred = typeof SIGNALBOX_VERSION === "string" ? ["signalbox"] : []

/** Imports a package as a module in the folder would: from the user's own `node_modules`. */
const importFrom = async (name: string, folder: string): Promise<unknown> => {
  const alias = `signalbox-plugin:${name}`
  const parentURL = pathToFileURL(Path.join(folder, "signalbox.config.js")).href
  const hooks = registerHooks({
    resolve: (specifier, context, next) =>
      specifier === alias
        ? next(name, { ...context, parentURL, conditions: [...preferred, ...context.conditions] })
        : next(specifier, context)
  })
  try {
    return await import(alias)
  } finally {
    hooks.deregister()
  }
}

const failed = (name: string, cause: unknown): PluginInvalid => {
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const { code } = error as NodeJS.ErrnoException
  const [message = ""] = error.message.split("\n")
  if (code === "ERR_MODULE_NOT_FOUND" && message.includes(`'${name}'`)) {
    return new PluginInvalid({
      code: "plugin_missing",
      plugin: name,
      detail: "it is not installed",
      hint: `Install it beside the configuration: npm install --save-dev ${name}`
    })
  }
  if (code === "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING") {
    return new PluginInvalid({
      code: "plugin_broken",
      plugin: name,
      detail: `it is TypeScript, which Node does not load from node_modules (${message})`,
      hint: "Its author compiles it to JavaScript before it is packed; init --template adapter begins a package that does so."
    })
  }
  // What Node says about a module quotes only paths; the message of any other error may quote what it was configured with.
  const why = code?.startsWith("ERR_") === true ? `: ${message}` : ""
  return new PluginInvalid({
    code: "plugin_broken",
    plugin: name,
    detail: `it threw ${/^[A-Z]\w+Error$/.test(error.name) ? `a ${error.name}` : "an error"} while it was loaded${why}`,
    hint: `Run it by itself to see the error: node --eval 'import("${name}")'`
  })
}

const one = (entry: unknown, folder: string): Effect.Effect<Plugin, PluginInvalid> => {
  const checked = (value: unknown, name: string) => {
    const plugin = checkPlugin(value, name)
    return plugin instanceof PluginInvalid ? Effect.fail(plugin) : Effect.succeed(plugin)
  }
  if (isPlugin(entry)) return checked(entry, entry.name)
  const name = typeof entry === "string" ? entry : isRecord(entry) ? entry.plugin : undefined
  if (typeof name !== "string") return checked(undefined, "in the configuration")
  const options = isRecord(entry) ? entry.options : undefined
  return Effect.flatMap(
    Effect.tryPromise({
      try: async () => {
        const module = (await importFrom(name, folder)) as { readonly default?: unknown }
        const value = module.default
        return typeof value === "function" ? (value(options) as unknown) : value
      },
      catch: (cause) => failed(name, cause)
    }),
    (value) => checked(value, name)
  )
}

/**
 * The plug-ins of the entries of a configuration. Names are resolved from `folder`.
 *
 * *Errors*: `PluginInvalid`, about the first that cannot be used.
 */
export const loadPlugins = Effect.fnUntraced(function* (
  entries: unknown,
  folder: string
): Effect.fn.Return<ReadonlyArray<Plugin>, PluginInvalid> {
  // What is no list is an issue of the configuration, and reported with its others.
  if (!Array.isArray(entries)) return []
  const plugins: Array<Plugin> = []
  for (const entry of entries as ReadonlyArray<unknown>) plugins.push(yield* one(entry, folder))
  const conflict = conflictIn(plugins)
  return conflict === undefined ? plugins : yield* conflict
})
