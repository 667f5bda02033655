/**
 * How AWS is called: clients, and what their failures mean.
 */
export { Aws, type AwsOptions, type AwsPlace } from "./Aws.ts"
export { awsReason } from "./awsReason.ts"
export { Caller, type Failure } from "./Caller.ts"
export { targetOf } from "./targetOf.ts"
