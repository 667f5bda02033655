/** Notifications: what is owed, planned, delivered and escalated. */
export { consoleNotifier } from "./ConsoleNotifier.ts"
export { attempt, render } from "./Attempt.ts"
export { deliveryId, messageName, plan } from "./plan.ts"
export * as NotifyWorker from "./Worker.ts"
