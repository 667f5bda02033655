/** The process that holds the processes of a folder; its proxy is loaded where it runs. */
export { runSupervisor } from "@signalbox/provider-local/supervisor"
