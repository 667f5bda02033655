/** What a monitor needs of this machine; loaded when there is something to monitor. */
import { Monitoring } from "@signalbox/node"

export const { deathOf, errorOf, openMonitorLog, supervise, supervisorGone } = Monitoring

/** This very program, to be started again as the process that watches. */
export const self: ReadonlyArray<string> = [process.execPath, ...process.execArgv, process.argv[1]!]

/** How long this process has been there, in milliseconds. */
export const age = (): number => performance.now()
