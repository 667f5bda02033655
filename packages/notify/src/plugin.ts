import type { Plugin } from "@signalbox/core/plugin"
import { webhookOptions } from "./webhook/WebhookOptions.ts"

/**
 * Brings the kinds of channels of this package.
 *
 * *Details*: a channel's code is loaded when the channel is opened.
 *
 * *Example*
 *
 * ```ts
 * defineConfig({ ..., plugins: [notify()] })
 * ```
 */
export const notify = (): Plugin => ({
  name: "@signalbox/notify",
  spiVersion: 1,
  notifiers: {
    webhook: {
      check: webhookOptions.check,
      load: async (context) => (await import("./webhook/WebhookChannel.ts")).open(context)
    }
  }
})
