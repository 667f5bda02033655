/**
 * Recognizes a plug-in, and says what is wrong with what is none.
 */
import type { Provider } from "../spi/Provider.ts"
import { fromPlugin } from "./fromPlugin.ts"
import { type Plugin, type PluginContext, spiVersion } from "./Plugin.ts"
import { PluginInvalid } from "./PluginInvalid.ts"

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** What a plug-in may bring, by name. */
const parts = ["providers", "metricSources", "notifiers", "stores", "commands"] as const

/** Whether a value looks like a plug-in, whatever its version. */
export const isPlugin = (value: unknown): value is Plugin =>
  isRecord(value) && typeof value.name === "string" && "spiVersion" in value

/**
 * The plug-in itself, if this version can use it.
 *
 * *Errors*: `PluginInvalid`.
 */
export const checkPlugin = (value: unknown, name: string): Plugin | PluginInvalid => {
  if (!isPlugin(value)) {
    return new PluginInvalid({
      code: "plugin_broken",
      plugin: name,
      detail: "its default export is no plug-in",
      hint: "A plug-in is an object with name and spiVersion, or a function that returns one."
    })
  }
  if (value.spiVersion !== spiVersion) {
    const older = typeof value.spiVersion === "number" && value.spiVersion < spiVersion
    return new PluginInvalid({
      code: "plugin_incompatible",
      plugin: value.name,
      detail: `it speaks version ${String(value.spiVersion)} of the plug-in contract, this Signalbox version ${spiVersion}`,
      hint: older
        ? `Update it: npm install ${value.name}@latest`
        : "Update Signalbox: npm install @signalbox/cli@latest"
    })
  }
  for (const part of parts) {
    if (value[part] === undefined || isRecord(value[part])) continue
    return new PluginInvalid({
      code: "plugin_broken",
      plugin: value.name,
      detail: `${part} is no object`,
      hint: "Report it to the author of the plug-in."
    })
  }
  return value
}

/**
 * Two plug-ins that bring the same thing cannot be used together, nor can one that brings what is `taken`: its words, with
 * their owners.
 */
export const conflictIn = (
  plugins: ReadonlyArray<Plugin>,
  taken: { readonly [Part in (typeof parts)[number]]?: ReadonlyMap<string, string> } = {}
): PluginInvalid | undefined => {
  for (const part of parts) {
    const owners = new Map<string, string>(taken[part])
    for (const plugin of plugins) {
      for (const word of Object.keys(plugin[part] ?? {})) {
        const owner = owners.get(word)
        if (owner !== undefined) {
          return new PluginInvalid({
            code: "plugin_conflict",
            plugin: plugin.name,
            detail: `${owner} has "${word}" in ${part} too`,
            hint: "Use one of the two."
          })
        }
        owners.set(word, plugin.name)
      }
    }
  }
  return undefined
}

/** The providers of all plug-ins, by kind. */
export const providersOf = (plugins: ReadonlyArray<Plugin>, context: PluginContext): ReadonlyMap<string, Provider> =>
  new Map(
    plugins.flatMap(({ providers = {} }) =>
      Object.entries(providers).map(([kind, provider]) => [kind, fromPlugin(kind, provider, context)] as const)
    )
  )
