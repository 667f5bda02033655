/** An execution's right to change things: leases, claims and the processes that hold them. */
export { claimExecution, heldUntil, isRunnerClaim, reserveClaim } from "./Claim.ts"
export { currentLease, isLeaseHeld } from "./CurrentLease.ts"
export { type AcquiredLease, acquireEnvironmentLease } from "./EnvironmentLease.ts"
export * as LeaseKeeper from "./LeaseKeeper.ts"
export { checkAll, type KeptLease, lostBy } from "./LeaseKeeper.ts"
export { RunnerIdentity, uniqueOwner } from "./RunnerIdentity.ts"
