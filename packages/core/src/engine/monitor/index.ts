/** Watches executions and raises alerts. */
export * as Monitor from "./Monitor.ts"
