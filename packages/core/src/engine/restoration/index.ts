/** Where a deployment can go back to. */
export * as Restorable from "./Restorable.ts"
export * as RollbackTarget from "./RollbackTarget.ts"
export { mustGoBack, wayBack } from "./WayBack.ts"
