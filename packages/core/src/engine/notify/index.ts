/** Notifications: what is owed, planned, delivered and escalated. */
export { consoleNotifier } from "./ConsoleNotifier.ts"
