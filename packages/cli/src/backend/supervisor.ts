/** The process that holds the processes of a folder; its proxy is loaded only there. */
export { runSupervisor } from "@signalbox/provider-local/supervisor"
