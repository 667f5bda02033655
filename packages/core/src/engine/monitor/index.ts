/** Watching executions and raising alerts. */
export * as Monitor from "./Monitor.ts"
