/**
 * Questions and answers of the facade, as data.
 */
export type { ObservedStack, PlannedStack } from "./Plan.ts"
export { reject, Rejected, unknownExecution } from "./Rejected.ts"
export type { Request } from "./Request.ts"
