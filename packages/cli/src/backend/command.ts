/** Running a foreign command, loaded only where there is one. */
export { LeasedCommand } from "@signalbox/node"
