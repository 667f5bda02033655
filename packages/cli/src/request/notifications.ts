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

/** The ID of no deployment. */
const unknown = ""

/** Reads and checks them; undefined if there are none. */
export const checkedNotifications = Effect.fnUntraced(function* (
  inv: Invocation
): Effect.fn.Return<NotificationSetup | undefined, ConfigFileInvalid | ConfigurationInvalid | PluginInvalid> {
  const { host, settings } = inv
  if (settings.config === undefined) return undefined
  const { file, plugins, value } = yield* configOf(inv)
  if (typeof value !== "object" || value === null || !("notifications" in value)) return undefined
  const { ackLinks, Configuration, metadataIn, notificationSetup } = yield* config
  const kinds = yield* host.backend.notifiers(settings.directory, plugins)
  const found = yield* Effect.fromResult(
    Configuration.notificationsIn(value, kinds, Path.relative(host.cwd, file) || file)
  )
  if (found === undefined) return undefined
  // A shared store has other projects' deployments, whose notifications must not go to the channels of this one.
  const isShared = settings.databaseUrl !== undefined || "store" in value
  const own = isShared ? (metadataIn(settings.directory)?.deploymentId ?? unknown) : undefined
  const links = ackLinks(found, (name) => host.env[name])
  return notificationSetup({ settings: found, kinds, deploymentId: own, ackLinks: links })
})

/** The deployment of this folder, where the store is shared with other projects. */
export const ownDeployment = Effect.fnUntraced(function* ({ settings }: Invocation) {
  const { metadataIn } = yield* config
  return settings.databaseUrl === undefined ? undefined : metadataIn(settings.directory)?.deploymentId
})

/** The same for whatever happens in the background: what is wrong is a warning. */
export const notificationsOf = (inv: Invocation): Effect.Effect<NotificationSetup | undefined> =>
  checkedNotifications(inv).pipe(
    Effect.tap((found) =>
      found?.deploymentId === unknown
        ? inv.warn({
            code: "notifications_off",
            message:
              "no notifications are sent: this folder does not say which deployment of the shared store is its own",
            hint: "Commit .deployment-metadata.yaml, which signalbox init writes."
          })
        : Effect.void
    ),
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
