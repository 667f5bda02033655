/**
 * Questions and answers of the facade, as data.
 *
 * @since 0.1.0
 */
export type { ObservedStack, PlannedStack } from "./Plan.ts"
export { Rejected, unknownExecution } from "./Rejected.ts"
export type { Request } from "./Request.ts"
