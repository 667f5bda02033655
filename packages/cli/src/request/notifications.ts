/**
 * The notifications that the project's configuration asks for.
 */
import * as Path from "node:path"
import * as Effect from "effect/Effect"
import type { ConfigurationInvalid } from "@signalbox/core/config"
import type { PluginInvalid } from "@signalbox/core/plugin"
import type { NotificationSetup } from "@signalbox/core/spi"
import type { ConfigFileInvalid } from "@signalbox/node"
import type { Invocation } from "../main/Invocation.ts"
import { config, configOf } from "./config.ts"

/** Reads and checks them; undefined if there are none. */
export const checkedNotifications = Effect.fnUntraced(function* (
  inv: Invocation
): Effect.fn.Return<NotificationSetup | undefined, ConfigFileInvalid | ConfigurationInvalid | PluginInvalid> {
  const { host, settings } = inv
  if (settings.config === undefined) return undefined
  const { file, plugins, value } = yield* configOf(inv)
  if (typeof value !== "object" || value === null || !("notifications" in value)) return undefined
  const { Configuration, metadataIn, notificationSetup } = yield* config
  const kinds = yield* host.backend.notifiers(settings.directory, plugins)
  const found = yield* Effect.fromResult(
    Configuration.notificationsIn(value, kinds, Path.relative(host.cwd, file) || file)
  )
  if (found === undefined) return undefined
  // A shared store has other projects' deployments, whose channels this configuration does not know.
  const own = settings.databaseUrl === undefined ? undefined : metadataIn(settings.directory)?.deploymentId
  return notificationSetup({ settings: found, kinds, deploymentId: own })
})

/** The same for whatever happens in the background: what is wrong is a warning. */
export const notificationsOf = (inv: Invocation): Effect.Effect<NotificationSetup | undefined> =>
  checkedNotifications(inv).pipe(
    Effect.catch((error) =>
      Effect.as(
        inv.warn({
          code: "notifications_off",
          message: `no notifications are sent: ${error.message}`,
          hint: "Correct the configuration, then: signalbox notify flush"
        }),
        undefined
      )
    )
  )
