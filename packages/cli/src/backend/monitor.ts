/** What a monitor needs of this machine; loaded when there is something to monitor. */
import { Monitoring } from "@signalbox/node"

export const { deathOf, errorOf, openMonitorLog, supervise, supervisorGone } = Monitoring

/** This program, restarted as the watching process. */
export const self: ReadonlyArray<string> = [process.execPath, ...process.execArgv, process.argv[1]!]

/** How long this process has existed, in milliseconds. */
export const age = (): number => performance.now()
