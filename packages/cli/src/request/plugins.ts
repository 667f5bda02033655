/**
 * The plug-ins that a command needs to reach its stacks.
 */
import * as Effect from "effect/Effect"
import type { Plugin, PluginInvalid } from "@signalbox/core/plugin"
import type { PluginSpec, StoreError } from "@signalbox/core/spi"
import type { Invocation } from "../main/Invocation.ts"
import { hasStore, signalbox, withServices } from "../main/services.ts"
import { configOf } from "./config.ts"

/** The plug-ins of the recorded deployments of this folder. */
const recorded = Effect.fnUntraced(function* (inv: Invocation) {
  if (!hasStore(inv)) return []
  const found = new Map<string, PluginSpec>()
  yield* withServices(
    inv,
    Effect.gen(function* () {
      const { deployments } = yield* signalbox
      for (const { deploymentId } of yield* deployments.list) {
        for (const { settings } of yield* deployments.environments(deploymentId)) {
          for (const plugin of settings?.plugins ?? []) found.set(plugin.plugin, plugin)
        }
      }
    })
  )
  const { loadPlugins } = yield* Effect.promise(() => import("../backend/config.ts"))
  return yield* loadPlugins([...found.values()], inv.settings.directory)
})

/** The plug-ins of the configuration, or of what is recorded if it cannot be read. */
export const pluginsOf = (inv: Invocation): Effect.Effect<ReadonlyArray<Plugin>, PluginInvalid | StoreError> =>
  configOf(inv).pipe(
    Effect.map(({ plugins }) => plugins),
    Effect.catchTag("ConfigFileInvalid", () => Effect.catchTag(recorded(inv), "Failure", () => Effect.succeed([])))
  )

/** The providers that a command asks; a place without a configuration has only the built-in ones. */
export const providersOf = (inv: Invocation, { bare = false }: { readonly bare?: boolean } = {}) =>
  Effect.flatMap(bare ? Effect.succeed([]) : pluginsOf(inv), (plugins) =>
    inv.host.backend.providers(inv.settings.directory, plugins)
  )

/** Opens the stores for a command that reaches stacks. */
export const withProviders = <A, E, R>(
  inv: Invocation,
  body: Effect.Effect<A, E, R>,
  options: { readonly create?: boolean; readonly bare?: boolean } = {}
) => Effect.flatMap(providersOf(inv, options), (providers) => withServices(inv, body, { ...options, providers }))
