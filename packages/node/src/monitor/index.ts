/**
 * What a monitor needs of its machine: a log file, and somebody to start it again.
 */
export * from "./MonitorLog.ts"
export * from "./supervise.ts"
