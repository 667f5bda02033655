import { Configuration, ConfigurationInvalid } from "@signalbox/core/config"
import { consoleNotifier } from "@signalbox/core/engine"
import { notifiersOf, type Plugin, type PluginContext } from "@signalbox/core/plugin"
import { type NotificationSetup, notificationSetup } from "@signalbox/core/spi"
import * as Effect from "effect/Effect"
import { ackLinks } from "../notify/ackLinks.ts"
import type { NotificationsOptions } from "./Connection.ts"

const terminal = consoleNotifier((text) => void process.stderr.write(text))

const lacking = new ConfigurationInvalid({
  issues: [
    {
      path: "notifications.deploymentId",
      message: "is missing",
      expected: "the ID of the deployment whose notifications are sent",
      hint: "Other projects share this store; deployments.init returns the ID."
    }
  ]
})

/** The notifications of a connection, checked. */
export const notificationsOf = (
  { deploymentId, ...notifications }: NotificationsOptions,
  plugins: ReadonlyArray<Plugin>,
  { context, isShared }: { readonly context: PluginContext; readonly isShared: boolean }
): Effect.Effect<NotificationSetup | undefined, ConfigurationInvalid> => {
  if (isShared && deploymentId === undefined) return Effect.fail(lacking)
  const kinds = new Map([["console", terminal], ...notifiersOf(plugins, context, (name) => process.env[name])])
  return Effect.map(
    Effect.fromResult(Configuration.notificationsIn({ notifications }, kinds)),
    (settings) =>
      settings &&
      notificationSetup({
        settings,
        kinds,
        deploymentId,
        ackLinks: ackLinks(settings, (name) => process.env[name])
      })
  )
}
