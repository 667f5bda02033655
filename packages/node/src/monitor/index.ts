/**
 * What a monitor needs of its machine: a log file, and somebody to start it again.
 *
 * @since 0.1.0
 */
export * from "./MonitorLog.ts"
export * from "./supervise.ts"
