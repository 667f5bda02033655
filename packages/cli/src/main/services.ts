import * as Fs from "node:fs"
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type { Plugin, PluginInvalid } from "@signalbox/core/plugin"
import type { Estimate } from "@signalbox/core/analysis"
import type { Signalbox } from "@signalbox/core/engine"
import type { Execution, Provider, StoreError } from "@signalbox/core/spi"
import { type Failure, notFound } from "./Failure.ts"
import type { Services } from "../host/Host.ts"
import type { Invocation } from "./Invocation.ts"
import { configOf } from "../request/config.ts"
import { notificationsOf } from "../request/notifications.ts"
import { reconcileKept } from "../wrap/spool.ts"

/** Whether a store exists. */
export const hasStore = ({ settings }: Invocation): boolean =>
  settings.databaseUrl !== undefined || Fs.existsSync(Path.join(settings.directory, ".signalbox"))

/**
 * Opens the stores for a command. Only `init` creates a missing one: a mistyped folder must not get a new, empty state.
 *
 * *Details*: without `providers`, no stack can be reached, and no plug-in is needed. `plugins` are known if they were loaded
 * for the providers.
 */
export const withServices = <A, E, R>(
  invocation: Invocation,
  body: Effect.Effect<A, E, R>,
  options: {
    readonly create?: boolean
    readonly providers?: ReadonlyMap<string, Provider>
    readonly plugins?: ReadonlyArray<Plugin>
  } = {}
): Effect.Effect<A, E | Failure | StoreError | PluginInvalid, Exclude<R, Services>> => {
  const { directory, databaseUrl } = invocation.settings
  const { plugins = [] } = options
  if (options.create !== true && !hasStore(invocation)) {
    return Effect.fail(
      notFound(
        "no_state",
        `there is no deployment in ${Path.relative(invocation.host.cwd, directory) || "this folder"}`,
        "Make one with: signalbox init (or say where it is with --directory)"
      )
    )
  }
  return Effect.flatMap(storePlugins(invocation), (ofStore) =>
    Effect.provide(
      Effect.andThen(reconcileKept(invocation), body),
      invocation.host.backend.layer({
        directory,
        plugins: [...plugins, ...ofStore.filter(({ name }) => plugins.every((one) => one.name !== name))],
        providers: options.providers ?? new Map(),
        notifications: notificationsOf(invocation),
        ...(databaseUrl === undefined ? {} : { databaseUrl })
      })
    )
  )
}

/** Only a store of a plug-in needs one. */
const storePlugins = Effect.fnUntraced(function* (
  inv: Invocation
): Effect.fn.Return<ReadonlyArray<Plugin>, PluginInvalid> {
  const { databaseUrl } = inv.settings
  if (databaseUrl === undefined) return []
  const { isBuiltInStore } = yield* Effect.promise(() => import("../backend/config.ts"))
  if (isBuiltInStore(databaseUrl)) return []
  return yield* configOf(inv).pipe(
    Effect.map(({ plugins }) => plugins),
    Effect.catchTag("ConfigFileInvalid", () => Effect.succeed([]))
  )
})

/** The engine's modules. */
export const engine = Effect.promise(() => import("../backend/engine.ts"))

/** The facade over the stores that `withServices` has opened. */
export const signalbox: Effect.Effect<Signalbox["Service"], never, Signalbox> = Effect.flatMap(
  Effect.promise(() => import("../backend/facade.ts")),
  ({ Signalbox }) => Signalbox
)

/** The remaining time of an execution. Reads nothing for a finished one. */
export const estimateOf = (
  state: Execution.ExecutionState | undefined
): Effect.Effect<Estimate.Estimate | undefined, StoreError, Signalbox> =>
  state === undefined || state.finishedAt !== undefined
    ? Effect.undefined
    : Effect.flatMap(signalbox, ({ executions }) => executions.estimate(state.correlationId))
