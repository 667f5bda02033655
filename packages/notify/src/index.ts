/// <reference types="node" preserve="true" />
/**
 * Channels for notifications, as a plug-in.
 */
export { notify, notify as default } from "./plugin.ts"
export { WebhookOptions } from "./webhook/WebhookOptions.ts"
