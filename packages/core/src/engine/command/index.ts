/** Foreign commands that outlived their runner. */
export { endOrphanedCommands, isMarkOf, LocalCommands, markOf, runsAround } from "./OrphanedCommands.ts"
export * as Reconciliation from "./Reconciliation.ts"
