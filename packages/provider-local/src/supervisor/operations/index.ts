/**
 * The operations of the port on one stack. Each is idempotent: it looks at the current state and does what is missing,
 * so that it can be interrupted anywhere and called again.
 */
export { correct, detect } from "./Drift.ts"
export { measure } from "./Measurement.ts"
export type { Run } from "./Operation.ts"
export { restart } from "./Restart.ts"
export { destroy, rollback } from "./Rollback.ts"
export { retire, shift, stage } from "./Rollout.ts"
