/// <reference types="node" preserve="true" />
/**
 * Receivers on loopback that answer as the vendors do, for tests of channels.
 */
export * from "./GitHubServer.ts"
export * from "./HttpReceiver.ts"
export * from "./PagerDutyServer.ts"
export * from "./SlackServer.ts"
export * from "./WebhookReceiver.ts"
