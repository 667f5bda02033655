/**
 * Finds and loads configuration files.
 */
export * from "./ConfigFileInvalid.ts"
export * from "./discover.ts"
export * from "./loadManifest.ts"
export { loadPlugins } from "./loadPlugins.ts"
export { isModule, readConfigFile } from "./readConfigFile.ts"
export * from "./Settings.ts"
