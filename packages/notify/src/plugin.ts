import type { Plugin } from "@signalbox/core/plugin"
import { emailOptions } from "./email/EmailOptions.ts"
import { gitHubOptions } from "./github/GitHubOptions.ts"
import { pagerDutyOptions } from "./pagerduty/PagerDutyOptions.ts"
import { slackOptions } from "./slack/SlackOptions.ts"
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
    email: {
      check: emailOptions.check,
      load: async (context) => (await import("./email/EmailChannel.ts")).open(context)
    },
    github: {
      check: gitHubOptions.check,
      load: async (context) => (await import("./github/GitHubChannel.ts")).open(context)
    },
    pagerduty: {
      check: pagerDutyOptions.check,
      load: async (context) => (await import("./pagerduty/PagerDutyChannel.ts")).open(context)
    },
    slack: {
      check: slackOptions.check,
      load: async (context) => (await import("./slack/SlackChannel.ts")).open(context)
    },
    webhook: {
      check: webhookOptions.check,
      load: async (context) => (await import("./webhook/WebhookChannel.ts")).open(context)
    }
  }
})
