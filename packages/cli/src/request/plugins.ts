/**
 * The plug-ins that a command needs to reach its stacks.
 */
import * as Effect from "effect/Effect"
import type { Plugin } from "@signalbox/core/plugin"
import type { DeploymentId, PluginSpec, Provider } from "@signalbox/core/spi"
import type { Settings } from "@signalbox/node"
import type { Invocation } from "../main/Invocation.ts"
import { hasStore, signalbox, withServices } from "../main/services.ts"
import { config, configOf } from "./config.ts"
import { execution, idHere } from "./target.ts"

/**
 * Whose plug-ins are used if the configuration cannot be read: those recorded for the deployment or execution `of`, by
 * default for the folder's deployment. A `bare` place has no stack of a plug-in.
 */
interface Target {
  readonly of?: string | undefined
  readonly bare?: boolean
}

/** The plug-ins that the stacks of a deployment were deployed with. */
const recorded = Effect.fnUntraced(function* (inv: Invocation, of: string | undefined) {
  const id = of ?? idHere(inv)
  if (id === undefined || !hasStore(inv)) return []
  const found = new Map<string, PluginSpec>()
  yield* withServices(
    inv,
    Effect.gen(function* () {
      const { deployments } = yield* signalbox
      // An id that names nothing is reported by the command itself.
      const owner = yield* Effect.matchEffect(execution(inv, id, { last: true }), {
        onFailure: () => Effect.succeed(id as DeploymentId),
        onSuccess: ({ deploymentId }) => Effect.succeed(deploymentId)
      })
      for (const { settings } of yield* deployments.environments(owner)) {
        for (const plugin of settings?.plugins ?? []) found.set(plugin.plugin, plugin)
      }
    })
  )
  const { loadPlugins } = yield* config
  return yield* loadPlugins([...found.values()], inv.settings.directory)
})

const load = (inv: Invocation, { bare = false, of }: Target) =>
  bare
    ? Effect.succeed<ReadonlyArray<Plugin>>([])
    : configOf(inv).pipe(
        Effect.map(({ plugins }) => plugins),
        Effect.catchTag("ConfigFileInvalid", () => recorded(inv, of))
      )

const known = new WeakMap<Settings, ReturnType<typeof load>>()

/** The plug-ins that a command needs. It looks for them once. */
const pluginsFor = Effect.fnUntraced(function* (inv: Invocation, target: Target = {}) {
  const plugins = yield* known.get(inv.settings) ?? load(inv, target)
  known.set(inv.settings, Effect.succeed(plugins))
  return plugins
})

/** The providers that a command asks. */
export const providersOf = Effect.fnUntraced(function* (inv: Invocation, target: Target = {}) {
  return yield* inv.host.backend.providers(inv.settings.directory, yield* pluginsFor(inv, target))
})

/** The providers that a reading command asks if it can: without plug-ins, if one of them cannot be loaded. */
export const providersAtHand = (inv: Invocation) =>
  Effect.orElseSucceed(providersOf(inv), () => new Map<string, Provider>())

/** Opens the stores for a command that reaches stacks. */
export const withProviders = <A, E, R>(
  inv: Invocation,
  target: Target,
  body: Effect.Effect<A, E, R>,
  options: { readonly create?: boolean } = {}
) =>
  Effect.flatMap(Effect.all({ plugins: pluginsFor(inv, target), providers: providersOf(inv, target) }), (reached) =>
    withServices(inv, body, { ...options, ...reached })
  )
