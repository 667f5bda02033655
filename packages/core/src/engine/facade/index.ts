/** The services of the facade, for programs in this process or elsewhere. */
export { Coordination } from "./Coordination.ts"
export { Deployments } from "./Deployments.ts"
export { Executions } from "./Executions.ts"
export { Notices } from "./Notices.ts"
export { Monitoring, type WatchOptions } from "./Monitoring.ts"
