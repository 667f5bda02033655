/**
 * The short cut between two sides that share one copy of this package: the provider itself, without promises between.
 */
import type { Provider } from "../spi/Provider.ts"
import { ProviderError } from "../spi/ProviderError.ts"
import type { PluginContext, PluginProvider } from "./Plugin.ts"

type Make = (context: PluginContext) => Provider

const key = Symbol.for("@signalbox/core/plugin/native")

interface Marked {
  readonly [key]?: { readonly copy: unknown; readonly make: Make }
}

/** Marks a provider of a plug-in with what makes it; the class of an error tells the copies apart. */
export const marked = (plugin: PluginProvider, make: Make): PluginProvider =>
  Object.defineProperty({ ...plugin }, key, { value: { copy: ProviderError, make } })

/** What makes it, if it was marked by this copy. */
export const native = (plugin: PluginProvider): Make | undefined => {
  const mark = (plugin as Marked)[key]
  return mark?.copy === ProviderError ? mark.make : undefined
}
