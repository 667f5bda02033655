/** Running a foreign command, loaded only where there is one. */
export { WrappedCommand } from "@signalbox/node"
