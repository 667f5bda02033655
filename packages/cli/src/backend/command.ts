/** Runs a foreign command; loaded only if there is one. */
export { WrappedCommand } from "@signalbox/node"
