/** Notifications: what is owed, planned, delivered and escalated. */
export { consoleNotifier } from "./ConsoleNotifier.ts"
export * as Overview from "./Overview.ts"
export { messageName } from "./plan.ts"
export * as Trial from "./Trial.ts"
export { layer as layerNotifications } from "./layer.ts"
export * as NotifyWorker from "./Worker.ts"
export { unattendedSince } from "./FirstLook.ts"
