/** The services of the facade: what programs call, in this process or from afar. */
export { Coordination } from "./Coordination.ts"
export { Deployments } from "./Deployments.ts"
export { Executions } from "./Executions.ts"
export { Monitoring, type MonitorReport, type WatchOptions } from "./Monitoring.ts"
