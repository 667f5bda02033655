/**
 * Stores: in memory, over SQL, and the contracts for adapters of other databases.
 */
export * from "./DeploymentStore.ts"
export * from "./Encoded.ts"
export { Generation } from "./Generation.ts"
export * from "./layerEncoded.ts"
export * from "./LeaseStore.ts"
export * from "./Memory.ts"
export { Durability } from "./sql/Durability.ts"
export { layerSql, makeSql } from "./sql/Sql.ts"
export { storeError } from "./sql/storeError.ts"
