/**
 * What a monitor needs of its machine: a log file, and a supervisor that restarts it.
 */
export * from "./MonitorLog.ts"
export * from "./supervise.ts"
