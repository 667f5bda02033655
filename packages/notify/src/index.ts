/// <reference types="node" preserve="true" />
/**
 * Channels for notifications, as a plug-in.
 */
export { notify, notify as default } from "./plugin.ts"
export { EmailOptions } from "./email/EmailOptions.ts"
export { GitHubOptions } from "./github/GitHubOptions.ts"
export { PagerDutyOptions } from "./pagerduty/PagerDutyOptions.ts"
export { SlackOptions } from "./slack/SlackOptions.ts"
export { WebhookOptions } from "./webhook/WebhookOptions.ts"
