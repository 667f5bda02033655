/** What `init` can write; loaded when it is asked to. */
export { adapter } from "../init/adapter.ts"
export { alb } from "../init/alb.ts"
export { cloudFormation } from "../init/cloudFormation.ts"
export { cloudRun } from "../init/cloudRun.ts"
export { firebase } from "../init/firebase.ts"
export { local } from "../init/local.ts"
export { writeTemplate } from "../init/write.ts"
