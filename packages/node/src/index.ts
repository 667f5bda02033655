/**
 * The Node runtime of Signalbox.
 *
 * @since 0.1.0
 */
export * from "./config/index.ts"
export * as Sqlite from "./Sqlite.ts"
export * from "./Stores.ts"
export * as ProcessLiveness from "./ProcessLiveness.ts"
export * from "./StateFiles.ts"
export { metadataYaml, stateYaml } from "./stateYaml.ts"
