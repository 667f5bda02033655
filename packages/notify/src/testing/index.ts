/// <reference types="node" preserve="true" />
/**
 * Receivers on loopback that answer as the vendors do, for tests of channels.
 */
export * from "./HttpReceiver.ts"
export * from "./WebhookReceiver.ts"
